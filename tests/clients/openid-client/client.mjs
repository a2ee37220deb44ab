// npm's openid-client (https://github.com/panva/openid-client) as a receiver's application would use it.
import process from "node:process";
import * as oauth from "openid-client";

const { TOKEN_URL, CALL_URL, CLIENT_ID, CLIENT_SECRET, CPF, CLIENT_AUTH } = process.env;
const authentication = { default: undefined, basic: oauth.ClientSecretBasic, body: oauth.ClientSecretPost }[CLIENT_AUTH];
const server = { issuer: new URL(TOKEN_URL).origin, token_endpoint: TOKEN_URL };
const config = new oauth.Configuration(server, CLIENT_ID, CLIENT_SECRET, authentication?.(CLIENT_SECRET));

async function call() {
  const token = await oauth.clientCredentialsGrant(config);
  const headers = new Headers({ "x-cpf-usuario": CPF });
  const answer = await oauth.fetchProtectedResource(
    config, token.access_token, new URL(CALL_URL), "GET", undefined, headers,
  );
  return { status: answer.status, body: await answer.json() };
}

console.log(JSON.stringify(await call().catch((failure) => ({ error: failure.error ?? String(failure) }))));
