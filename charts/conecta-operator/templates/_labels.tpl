{{- define "conecta-operator.labels" -}}
app.kubernetes.io/name: conecta-operator
app.kubernetes.io/part-of: conecta
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- define "conecta-operator.user" -}}
system:serviceaccount:{{ .Release.Namespace }}:conecta-operator
{{- end }}
