#!/usr/bin/env bash
# Installs what others wrote for the real ring. Microsoft's own relay clients, unmodified: hyco-ws into node_modules beside
# this file, hyco-https into hyco-https/node_modules (the two need different releases of ws). npm cannot install them as
# dependencies: they ask for `crypto`, `util`, `http`, `https` and `events` at `latest`, names of Node's own modules that npm
# no longer serves as such. So `npm ci` installs what each really needs (ws, moment), and its tarball is packed, checked
# against the pinned hash in NAME.integrity, and unpacked. Nothing of them is in this repository. And the parts of a web
# application (express and such) into web-app/node_modules, by `npm ci` alone. Idempotent: does nothing when the pinned
# versions are already there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
script=$PWD/install.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# install_client FOLDER NAME CHECK: into FOLDER/node_modules; CHECK is JavaScript that uses it.
install_client() {
  local folder=$1 name=$2 check=$3 spec integrity wanted actual
  cd "$folder"
  read -r spec integrity <"$name.integrity"
  local stamp=node_modules/.installed
  wanted=$(cat package-lock.json "$name.integrity" "$script" | sha512sum)
  if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then return; fi

  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  npm pack "$spec" --pack-destination "$work" --loglevel=error >/dev/null
  local tarball=$work/$name-${spec##*@}.tgz
  actual=sha512-$(openssl dgst -sha512 -binary "$tarball" | base64 --wrap=0)
  if [[ $actual != "$integrity" ]]; then
    echo "install.sh: $spec has the hash $actual, expected $integrity" >&2
    exit 1
  fi
  mkdir "$work/$name"
  tar --extract --gzip --file "$tarball" --directory "$work/$name" --no-same-owner
  mv "$work/$name/package" "node_modules/$name"
  node --no-deprecation -e "$check"
  echo "$wanted" >"$stamp"
}

install_web_app() {
  local stamp=node_modules/.installed wanted
  cd web-app
  wanted=$(cat package-lock.json "$script" | sha512sum)
  if [[ -f $stamp && $(<"$stamp") == "$wanted" ]]; then return; fi
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  node -e "require('express'); require('multer')"
  echo "$wanted" >"$stamp"
}

(install_client . hyco-ws "require('hyco-ws').createRelayedServer")
(install_client hyco-https hyco-https "require('hyco-https').createRelayedServer.call")
(install_web_app)
