#!/bin/bash
# Makes sigalert.app in a folder, on a Mac with Go and the command line tools of Xcode:
#	packaging/macos/bundle.sh 1.2.3 dist
set -eu
version=${1:-0.0.0} folder=${2:-dist}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "$0")/../.."

app=$folder/sigalert.app/Contents
rm -rf "$folder/sigalert.app"
mkdir -p "$app/MacOS" "$app/Resources"
CGO_ENABLED=1 go build -trimpath -ldflags "-X sigalert/internal/cli.version=$version" -o "$app/MacOS/sigalert" .

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/sigalert.iconset"
for size in 16 32 128 256; do
	cp "packaging/icons/hicolor/${size}x$size/apps/sigalert.png" "$work/sigalert.iconset/icon_${size}x$size.png"
done
iconutil -c icns -o "$app/Resources/sigalert.icns" "$work/sigalert.iconset"

cp packaging/macos/Info.plist "$app/Info.plist"
plutil -replace CFBundleShortVersionString -string "$version" "$app/Info.plist"
plutil -replace CFBundleVersion -string "$version" "$app/Info.plist"
plutil -lint "$app/Info.plist"
codesign --force --sign - "$folder/sigalert.app"
echo "Now:  cp -R '$folder/sigalert.app' /Applications/"
echo "      /Applications/sigalert.app/Contents/MacOS/sigalert autostart enable"
