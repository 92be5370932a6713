#!/bin/sh
# Makes the PNG and ICO files from the drawings in SVG.
set -eu
cd "$(dirname "$0")"

for tool in rsvg-convert icotool; do
	command -v $tool >/dev/null && continue
	echo "$tool is missing; on Debian or Ubuntu:  sudo apt-get install -y --no-install-recommends librsvg2-bin icoutils" >&2
	exit 1
done

for size in 16 22 24 32 48 64 128 256; do
	dir=hicolor/${size}x$size/apps
	mkdir -p $dir
	rsvg-convert -w $size -h $size -o $dir/sigalert.png hicolor/scalable/apps/sigalert.svg
done

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for drawing in tray/*.svg; do
	out=../../tray/icons/$(basename $drawing .svg)
	# Linux and macOS take one size: 22 pixels on a screen of twice the density.
	rsvg-convert -w 44 -h 44 -o $out.png $drawing
	for size in 16 24 32 48; do
		rsvg-convert -w $size -h $size -o "$tmp/$size.png" $drawing
	done
	icotool --create -o $out.ico "$tmp/16.png" "$tmp/24.png" "$tmp/32.png" "$tmp/48.png"
done
