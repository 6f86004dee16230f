{{/* A label of DNS, with room for the revision, a hash and the index of a pod: names of pods are made of it. */}}
{{- define "connect-build.name" -}}
{{- .Release.Name | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* A Job cannot be changed: each revision of the release has its own, and so have other values where nobody counts revisions. */}}
{{- define "connect-build.jobName" -}}
{{- printf "%s-%d-%s" (include "connect-build.name" .) (int .Release.Revision) (printf "%s%s" (toJson .Values) (include "connect-build.job" .) | sha256sum | trunc 8) -}}
{{- end -}}

{{- define "connect-build.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "connect-build.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "connect-build.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "connect-build.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "connect-build.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* The resources that are built, as `connectbuild/a,connectbuild/b`; nothing where the input is a file. */}}
{{- define "connect-build.resources" -}}
{{- $names := list -}}
{{- range .Values.builds }}{{ $names = append $names (printf "connectbuild/%s" .name) }}{{ end -}}
{{- range .Values.kafkaConnects }}{{ $names = append $names (printf "kafkaconnect/%s" .) }}{{ end -}}
{{- join "," $names -}}
{{- end -}}

{{- define "connect-build.check" -}}
{{- $ways := list -}}
{{- if .Values.builds }}{{ $ways = append $ways "builds" }}{{ end -}}
{{- if .Values.kafkaConnects }}{{ $ways = append $ways "kafkaConnects" }}{{ end -}}
{{- if .Values.inline }}{{ $ways = append $ways "inline" }}{{ end -}}
{{- if eq (len $ways) 0 -}}
{{- fail "nothing is to be built: give `builds`, `kafkaConnects` or `inline`" -}}
{{- else if gt (len $ways) 1 -}}
{{- fail (printf "give one of `builds`, `kafkaConnects` and `inline`, not %s" (join " and " $ways)) -}}
{{- end -}}
{{- $names := splitList "," (include "connect-build.resources" .) -}}
{{- if ne (len $names) (len (uniq $names)) -}}
{{- fail (printf "a name is given twice: %s" (join ", " $names)) -}}
{{- end -}}
{{- end -}}

{{/* The push secrets that the builds name, each once, separated by commas. */}}
{{- define "connect-build.pushSecrets" -}}
{{- $secrets := list -}}
{{- $specs := list -}}
{{- range .Values.builds }}{{ if .spec }}{{ $specs = append $specs .spec }}{{ end }}{{ end -}}
{{- if .Values.inline }}{{ $specs = append $specs (.Values.inline.spec | default .Values.inline) }}{{ end -}}
{{- range $specs -}}
{{- $build := .build | default dict -}}
{{- $output := $build.output | default dict -}}
{{- with $output.pushSecret }}{{ $secrets = append $secrets . }}{{ end -}}
{{- end -}}
{{- join "," (uniq $secrets) -}}
{{- end -}}

{{/* The Secret that is mounted as docker config. */}}
{{- define "connect-build.dockerConfig" -}}
{{- if .Values.credentials.dockerConfigSecret -}}
{{- .Values.credentials.dockerConfigSecret -}}
{{- else if not .Values.secretsFromApi -}}
{{- $secrets := include "connect-build.pushSecrets" . -}}
{{- if contains "," $secrets -}}
{{- fail (printf "the builds name several push secrets (%s): set `secretsFromApi: true`, or put all credentials into one Secret and name it in `credentials.dockerConfigSecret`" $secrets) -}}
{{- end -}}
{{- $secrets -}}
{{- end -}}
{{- end -}}

{{/* Those of the flags that `connect-build plan` has too, as a JSON list. */}}
{{- define "connect-build.planFlags" -}}
{{- $known := list "--base" "--to" "--compression" "--links" "--source-date-epoch" "--maven-repository" "--maven-settings" "--maven-java-version" "--cache-dir" -}}
{{- $flags := list -}}
{{- $value := false -}}
{{- range .Values.flags -}}
{{- if $value -}}
{{- $flags = append $flags . -}}
{{- $value = false -}}
{{- else if has (first (splitList "=" .)) $known -}}
{{- $flags = append $flags . -}}
{{- $value = not (contains "=" .) -}}
{{- end -}}
{{- end -}}
{{- toJson $flags -}}
{{- end -}}

{{/* The pod of a Job. */}}
{{- define "connect-build.pod" -}}
{{- $resources := include "connect-build.resources" . -}}
{{- $dockerConfig := include "connect-build.dockerConfig" . -}}
metadata:
  labels:
    {{- include "connect-build.selector" . | nindent 4 }}
    {{- with omit .Values.podLabels "app.kubernetes.io/name" "app.kubernetes.io/instance" }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  restartPolicy: Never
  # Time enough to tell an API server that restarts how a build ended.
  terminationGracePeriodSeconds: 60
  serviceAccountName: {{ include "connect-build.serviceAccount" . | quote }}
  # A build of a file has no business with the API server.
  automountServiceAccountToken: {{ ne $resources "" }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- $security := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") }}
    {{- toYaml (mergeOverwrite $security (deepCopy .Values.podSecurityContext)) | nindent 4 }}
  containers:
    - name: connect-build
      image: {{ include "connect-build.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - build
        {{- if .Values.inline }}
        - /mnt/build/build.yaml
        {{- end }}
        {{- range .Values.flags }}
        - {{ . | quote }}
        {{- end }}
      env:
        - name: TMPDIR
          value: /workspace
        {{- if $resources }}
        - name: CONNECT_BUILD_RESOURCE
          value: {{ $resources | quote }}
        - name: CONNECT_BUILD_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
        - name: CONNECT_BUILD_POD
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        {{- end }}
        {{- if .Values.secretsFromApi }}
        - name: CONNECT_BUILD_SECRETS_FROM_API
          value: "true"
        {{- end }}
        {{- if $dockerConfig }}
        - name: CONNECT_BUILD_AUTH_FILE
          value: /mnt/docker/config.json
        {{- end }}
        {{- if .Values.credentials.netrcSecret }}
        - name: CONNECT_BUILD_NETRC
          value: /mnt/netrc/netrc
        {{- end }}
        {{- if .Values.credentials.mavenSettingsSecret }}
        - name: CONNECT_BUILD_MAVEN_SETTINGS
          value: /mnt/maven/settings.xml
        {{- end }}
        {{- if .Values.credentials.headersSecret }}
        - name: CONNECT_BUILD_HEADERS
          value: /mnt/headers/headers.yaml
        {{- end }}
        {{- if .Values.caConfigMap }}
        - name: CONNECT_BUILD_CA_FILE
          value: /mnt/ca/ca.crt
        {{- end }}
        {{- with .Values.env }}{{ toYaml . | nindent 8 }}{{ end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      volumeMounts:
        - name: workspace
          mountPath: /workspace
        {{- if .Values.inline }}
        - name: build
          mountPath: /mnt/build
          readOnly: true
        {{- end }}
        {{- if $dockerConfig }}
        - name: docker
          mountPath: /mnt/docker
          readOnly: true
        {{- end }}
        {{- if .Values.credentials.netrcSecret }}
        - name: netrc
          mountPath: /mnt/netrc
          readOnly: true
        {{- end }}
        {{- if .Values.credentials.mavenSettingsSecret }}
        - name: maven
          mountPath: /mnt/maven
          readOnly: true
        {{- end }}
        {{- if .Values.credentials.headersSecret }}
        - name: headers
          mountPath: /mnt/headers
          readOnly: true
        {{- end }}
        {{- if .Values.caConfigMap }}
        - name: ca
          mountPath: /mnt/ca
          readOnly: true
        {{- end }}
  volumes:
    - name: workspace
      {{- if .Values.workspace.persistentVolumeClaim }}
      persistentVolumeClaim:
        claimName: {{ .Values.workspace.persistentVolumeClaim | quote }}
      {{- else }}
      emptyDir:
        sizeLimit: {{ .Values.workspace.sizeLimit }}
      {{- end }}
    {{- if .Values.inline }}
    - name: build
      configMap:
        name: {{ include "connect-build.name" . | quote }}
    {{- end }}
    {{- with $dockerConfig }}
    - name: docker
      secret:
        secretName: {{ . | quote }}
        items:
          - key: .dockerconfigjson
            path: config.json
    {{- end }}
    {{- with .Values.credentials.netrcSecret }}
    - name: netrc
      secret:
        secretName: {{ . | quote }}
    {{- end }}
    {{- with .Values.credentials.mavenSettingsSecret }}
    - name: maven
      secret:
        secretName: {{ . | quote }}
    {{- end }}
    {{- with .Values.credentials.headersSecret }}
    - name: headers
      secret:
        secretName: {{ . | quote }}
    {{- end }}
    {{- with .Values.caConfigMap }}
    - name: ca
      configMap:
        name: {{ . | quote }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
{{- end -}}

{{/* `spec` of a Job. */}}
{{- define "connect-build.job" -}}
{{- $count := len (splitList "," (include "connect-build.resources" .)) -}}
{{- if gt $count 1 }}
completionMode: Indexed
completions: {{ $count }}
parallelism: {{ min (int .Values.job.parallelism) $count }}
{{- if semverCompare ">=1.29-0" .Capabilities.KubeVersion.Version }}
backoffLimitPerIndex: {{ .Values.job.backoffLimit }}
{{- else }}
backoffLimit: {{ mul $count (int .Values.job.backoffLimit) }}
{{- end }}
{{- else }}
backoffLimit: {{ .Values.job.backoffLimit }}
{{- end }}
activeDeadlineSeconds: {{ .Values.job.activeDeadlineSeconds }}
ttlSecondsAfterFinished: {{ .Values.job.ttlSecondsAfterFinished }}
template:
  {{- include "connect-build.pod" . | nindent 2 }}
{{- end -}}
