# curl as people use it: gets a token, then calls. By default credentials go by Basic. Secrets stay out of `ps`.
set -eu

get() { curl --silent --show-error --cacert "$CA_FILE" "$@"; }

form() { printf 'data-urlencode = "%s"\n' "$@"; }

ask() {
  case $CLIENT_AUTH in
    body) form "grant_type=client_credentials" "client_id=$CLIENT_ID" "client_secret=$CLIENT_SECRET" ;;
    *) form "grant_type=client_credentials"; printf 'user = "%s:%s"\n' "$CLIENT_ID" "$CLIENT_SECRET" ;;
  esac
}

answer=$(ask | get --config - "$TOKEN_URL")
token=$(printf %s "$answer" | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')
if [ -z "$token" ]; then
  printf %s "$answer" | sed 's/.*"error" *: *"\([^"]*\)".*/{"error": "\1"}/'
  exit
fi
printf 'header = "Authorization: Bearer %s"\n' "$token" |
  get --config - --header "x-cpf-usuario: $CPF" --write-out '\n%{http_code}\n' "$CALL_URL" |
  { IFS= read -r body; IFS= read -r status; printf '{"status": %s, "body": %s}' "$status" "$body"; }
