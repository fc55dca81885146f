{{- define "gatehouse.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 46 | trimSuffix "-" }}
{{- end }}

{{/* A pod's name has 17 characters more, and SERVER_ID no more than 64. */}}
{{- define "gatehouse.fullname" -}}
{{- $name := include "gatehouse.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 46 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 46 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 46 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What a selector may name: it never changes. */}}
{{- define "gatehouse.selectorLabels" -}}
app.kubernetes.io/name: {{ include "gatehouse.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gatehouse.labels" -}}
{{ include "gatehouse.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "gatehouse.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "gatehouse.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "gatehouse.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{/* What the clients' port and the internal one speak. */}}
{{- define "gatehouse.scheme" -}}
{{ .Values.tls.enabled | ternary "HTTPS" "HTTP" }}
{{- end }}
{{- define "gatehouse.internalScheme" -}}
{{ and .Values.tls.enabled .Values.tls.internal | ternary "HTTPS" "HTTP" }}
{{- end }}

{{- define "gatehouse.servicePort" -}}
{{ .Values.service.port | default (.Values.tls.enabled | ternary 443 80) }}
{{- end }}

{{/* Settings that follow from other values. They go before those of the ConfigMap and of the Secret. */}}
{{- define "gatehouse.env" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_IP
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: SERVER_ID
  value: $(POD_NAME)
{{- with .Values.publicUrl }}
- name: PUBLIC_URL
  value: {{ . | quote }}
{{- end }}
- name: PORT
  value: "8080"
- name: INTERNAL_PORT
  value: "9090"
- name: DRAIN_TIMEOUT_MS
  value: {{ mul 1000 .Values.drain.timeoutSeconds | quote }}
{{- if .Values.channels }}
- name: CHANNELS_FILE
  value: /etc/gatehouse/channels/channels.yaml
{{- end }}
{{- if .Values.tls.enabled }}
- name: TLS_CERT_FILE
  value: /etc/gatehouse/tls/tls.crt
- name: TLS_KEY_FILE
  value: /etc/gatehouse/tls/tls.key
- name: INTERNAL_TLS
  value: {{ .Values.tls.internal | ternary "on" "off" | quote }}
{{- end }}
{{- with .Values.heapMegabytes }}
- name: NODE_OPTIONS
  value: --max-old-space-size={{ int64 . }}
{{- end }}
{{- range $setting, $source := .Values.secretSettings }}
- name: {{ $setting }}
  valueFrom:
    secretKeyRef:
      name: {{ $source.name }}
      key: {{ $source.key }}
{{- end }}
{{- end }}

{{/* A rule of egress: (list ports peers), peers empty for anywhere. */}}
{{- define "gatehouse.egress" -}}
- ports:
    {{- range index . 0 }}
    - protocol: TCP
      port: {{ int64 . }}
    {{- end }}
  {{- with index . 1 }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
