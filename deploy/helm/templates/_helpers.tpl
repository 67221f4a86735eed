{{- define "openpersonalize.labels" -}}
app.kubernetes.io/name: openpersonalize
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "openpersonalize.pod" -}}
securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
automountServiceAccountToken: false
volumes:
  - name: data
    persistentVolumeClaim: {claimName: {{ .Release.Name }}-data}
  - name: tmp
    emptyDir: {}
{{- end }}
{{- define "openpersonalize.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
envFrom:
  - secretRef: {name: {{ .Values.existingSecret }}}
env:
  - {name: ALLOWED_HOSTS, value: {{ .Values.host | quote }}}
  {{- range $name, $value := .Values.environment }}
  {{- if $value }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
  {{- end }}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
{{- end }}
