#!/bin/sh
# A client of the HMAC scheme, version 1 (docs/reference/hmac.md): any POSIX shell, openssl, curl, od or xxd not needed.
#
#   KEY_ID=robot-1 SECRET_HEX=0001…1f ./hmac.sh METHOD URL [FILE] [curl's options …]
#
# FILE is the body, or "-" for none. HASH is what the key was registered for: sha256 (so by default), sha384 or sha512.
# While openssl runs, other users of this machine can see the secret among its arguments: use it on machines of your own.
set -eu
method=$1 url=$2 file=${3:--}
[ $# -lt 3 ] && shift 2 || shift 3

rest=${url#*://}
authority=${rest%%[/?]*}
target=${rest#"$authority"}
case $target in /*) ;; *) target=/$target ;; esac

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
body() { if [ "$file" = - ]; then :; else cat -- "$file"; fi; }
timestamp=${TIMESTAMP:-$(date +%s)}
nonce=${NONCE:-$(openssl rand 16 | base64url)}
digest=$(body | openssl dgst -sha256 -binary | base64url)
lower=$(printf %s "$authority" | tr 'A-Z' 'a-z')
mac=$(printf '%s\n' 'HMAC 1' "$KEY_ID" "$timestamp" "$nonce" "$method" "$lower" "$target" "$digest" |
    openssl dgst "-${HASH:-sha256}" -mac HMAC -macopt "hexkey:$SECRET_HEX" -binary | base64url)
value="HMAC version=1, keyid=\"$KEY_ID\", timestamp=$timestamp, nonce=\"$nonce\", digest=\"$digest\", mac=\"$mac\""

if [ -n "${PRINT:-}" ]; then printf '%s\n' "$value"; exit; fi
[ "$file" = - ] || set -- --data-binary "@$file" "$@"
exec curl --silent --show-error --path-as-is --request "$method" --header "Host: $authority" \
    --header "Authorization: $value" "$@" -- "$url"
