#!/bin/bash
# Makes dist/sigalert.app, on a Mac with Go and the command line tools of Xcode:
#	packaging/macos/bundle.sh 1.2.3
set -eu
cd "$(dirname "$0")/../.."

version=${1:-0.0.0}
app=dist/sigalert.app/Contents
rm -rf dist/sigalert.app
mkdir -p $app/MacOS $app/Resources
CGO_ENABLED=1 go build -trimpath -ldflags "-X sigalert/internal/cli.version=$version" -o $app/MacOS/sigalert .

set=$(mktemp -d)/sigalert.iconset
mkdir "$set"
for size in 16 32 128 256; do
	cp packaging/icons/hicolor/${size}x$size/apps/sigalert.png "$set/icon_${size}x$size.png"
done
iconutil -c icns -o $app/Resources/sigalert.icns "$set"

cp packaging/macos/Info.plist $app/Info.plist
plutil -replace CFBundleShortVersionString -string "$version" $app/Info.plist
plutil -replace CFBundleVersion -string "$version" $app/Info.plist
plutil -lint $app/Info.plist
codesign --force --sign - dist/sigalert.app
echo "Now:  cp -R dist/sigalert.app /Applications/"
echo "      /Applications/sigalert.app/Contents/MacOS/sigalert autostart enable"
