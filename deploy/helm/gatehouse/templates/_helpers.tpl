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
{{- if .Values.hooks.file }}
- name: HOOKS_FILE
  value: /etc/gatehouse/hooks/hooks.yaml
{{- end }}
{{- if .Values.bridges.file }}
- name: BRIDGES_FILE
  value: /etc/gatehouse/bridges/bridges.yaml
{{- end }}
{{- if .Values.tls.enabled }}
- name: TLS_CERT_FILE
  value: /etc/gatehouse/tls/tls.crt
- name: TLS_KEY_FILE
  value: /etc/gatehouse/tls/tls.key
- name: INTERNAL_TLS
  value: {{ .Values.tls.internal | ternary "on" "off" | quote }}
{{- end }}
{{- if include "gatehouse.trusted" . }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/gatehouse/trusted/ca.crt
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

{{/* Whether there are authorities to trust: the name of what holds them. */}}
{{- define "gatehouse.trusted" -}}
{{- .Values.trustedCertificates.configMap | default .Values.trustedCertificates.secret }}
{{- end }}

{{/* What would render to something that is not what was meant. Whatever concerns one value alone, values.schema.json refuses. */}}
{{- define "gatehouse.check" -}}
{{- with .Values }}
{{- if .autoscaling.enabled }}
{{- if not (or .autoscaling.targetCpuPercent .autoscaling.targetConnections) }}
{{- fail "autoscaling: one of targetCpuPercent and targetConnections must be above 0" }}
{{- end }}
{{- if gt (int64 .autoscaling.minReplicas) (int64 .autoscaling.maxReplicas) }}
{{- fail (printf "autoscaling: minReplicas (%d) must not be above maxReplicas (%d)" (int64 .autoscaling.minReplicas) (int64 .autoscaling.maxReplicas)) }}
{{- end }}
{{- if and .autoscaling.targetCpuPercent (not .resources.requests.cpu) }}
{{- fail "autoscaling.targetCpuPercent is a share of resources.requests.cpu, which must be set; or set targetCpuPercent to 0" }}
{{- end }}
{{- end }}
{{- if and .tls.internal (not .tls.enabled) }}
{{- fail "tls.internal needs tls.enabled: without it the internal port would be plain" }}
{{- end }}
{{- if and .serviceMonitor.tlsConfig (not .tls.internal) }}
{{- fail "serviceMonitor.tlsConfig needs tls.internal: without it Prometheus would ask the internal port in plain" }}
{{- end }}
{{- if and .ingress.enabled (not .settings.TRUST_PROXY) }}
{{- fail "settings.TRUST_PROXY must be set with an ingress ('1' for its controller alone): without it all clients have the controller's address, share its limits and are banned together" }}
{{- end }}
{{- if and (eq (.settings.REQUIRE_TLS | default "off") "on") (not .tls.enabled) (not .settings.TRUST_PROXY) }}
{{- fail "settings.REQUIRE_TLS needs tls.enabled, or a proxy that ends TLS and is named in settings.TRUST_PROXY: without either every client is refused" }}
{{- end }}
{{- range $setting := list "TLS_MIN_VERSION" "TLS_KEY_PASSPHRASE" }}
{{- if and (not $.Values.tls.enabled) (or (hasKey $.Values.settings $setting) (hasKey $.Values.secretSettings $setting)) }}
{{- fail (printf "%s needs tls.enabled: without it the pods are plain" $setting) }}
{{- end }}
{{- end }}
{{- if and .trustedCertificates.configMap .trustedCertificates.secret }}
{{- fail "trustedCertificates: name a configMap or a secret, not both" }}
{{- end }}
{{- range $setting := list "OTEL_EXPORTER_OTLP_CERTIFICATE" "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE" }}
{{- if and (get $.Values.settings $setting) (not (include "gatehouse.trusted" $)) }}
{{- fail (printf "settings.%s needs trustedCertificates: without it the file is not there" $setting) }}
{{- end }}
{{- end }}
{{- $limit := include "gatehouse.bytes" .resources.limits.memory }}
{{- if and $limit (ge (mulf .heapMegabytes 1048576) (float64 $limit)) }}
{{- fail (printf "heapMegabytes (%d) must be below resources.limits.memory (%v): a heap that grows to its limit would end the pod" (int64 .heapMegabytes) .resources.limits.memory) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The bytes of a quantity of Kubernetes, such as 2Gi, 2048Mi, 2G or 2147483648. Empty if it cannot be read. */}}
{{- define "gatehouse.bytes" -}}
{{- $quantity := toString . }}
{{- $number := regexFind "^[0-9]+(\\.[0-9]*)?([eE][-+]?[0-9]+)?" $quantity }}
{{- $units := dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
{{- $unit := trimPrefix $number $quantity }}
{{- if and $number (hasKey $units $unit) }}
{{- mulf (float64 $number) (get $units $unit) }}
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
