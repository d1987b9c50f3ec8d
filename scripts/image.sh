#!/bin/sh
# Builds the image lanista:VERSION (and lanista:latest) with docker: scripts/image.sh [--base IMAGE] [--arch amd64|arm64]
# What goes into it is gathered here, by npm; the build itself needs a network only where the base lacks a package.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
base=debian:bookworm-slim
arch=$(dpkg --print-architecture 2>/dev/null || echo amd64)
while [ $# -gt 0 ]; do
  case $1 in
    --base) base=$2; shift 2 ;;
    --arch) arch=$2; shift 2 ;;
    *) echo "usage: scripts/image.sh [--base IMAGE] [--arch amd64|arm64]" >&2; exit 2 ;;
  esac
done
case $arch in
  amd64) cpu=x64 ;;
  arm64) cpu=arm64 ;;
  *) echo "there is no image for $arch, only for amd64 and arm64" >&2; exit 2 ;;
esac

context=.cache/image/$arch
rm -rf "$context"
mkdir -p "$context/app"
npm pack --silent --workspace lanista --pack-destination "$context" >/dev/null
package=$(ls "$context"/lanista-*.tgz)
version=$(basename "$package" .tgz | sed 's/^lanista-//')
npm install --silent --no-audit --no-fund --omit=dev --prefix "$context/app" --os=linux --cpu="$cpu" --libc=glibc "$package"
rm "$package"
cp deploy/Dockerfile "$context/Dockerfile"
docker build --platform "linux/$arch" --build-arg BASE="$base" --tag "lanista:$version" --tag lanista:latest "$context"
