#!/usr/bin/env bash
# Installs Microsoft's own relay client, hyco-ws, unmodified, into node_modules beside this file.
# npm cannot install it as a dependency: it asks for `crypto`, `util`, `http` and `events` at `latest`, names of Node's
# own modules that npm no longer serves as such. So `npm ci` installs what it really needs (ws 1.1, moment), and its
# tarball is packed, checked against the pinned hash in hyco-ws.integrity, and unpacked. Nothing of it is in this
# repository. Idempotent: does nothing when the pinned versions are already there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

read -r spec integrity <hyco-ws.integrity
stamp=node_modules/.installed
wanted=$(cat package-lock.json hyco-ws.integrity install.sh | sha512sum)
if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
npm pack "$spec" --pack-destination "$work" --loglevel=error >/dev/null
tarball=$(echo "$work"/*.tgz)
actual=sha512-$(openssl dgst -sha512 -binary "$tarball" | base64 --wrap=0)
if [[ $actual != "$integrity" ]]; then
  echo "install.sh: $spec has the hash $actual, expected $integrity" >&2
  exit 1
fi
mkdir "$work/unpacked"
tar --extract --gzip --file "$tarball" --directory "$work/unpacked" --no-same-owner
mv "$work/unpacked/package" node_modules/hyco-ws
node --no-deprecation -e "require('hyco-ws').createRelayedServer"
echo "$wanted" >"$stamp"
