#!/bin/bash
# Prints a folder with the libraries of Debian 12 that sigalert-gtk is built with, for an
# architecture: sysroot.sh amd64, or arm64. It is made once, from Debian's packages, whose
# signatures apt verifies; no package is installed.
set -eu

arch=$1
debian=bookworm
root=${XDG_CACHE_HOME:-$HOME/.cache}/sigalert/$debian-$arch
if [ ! -d "$root" ]; then
	mkdir -p "$(dirname "$root")"
	tmp=$(mktemp -d "$root.XXXXXX") # beside it: what is there is whole
	trap 'rm -rf "$tmp"' EXIT
	mkdir -p "$tmp"/{lists,archives}/partial "$tmp/root"
	: >"$tmp/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $debian main" >"$tmp/sources.list"
	cat >"$tmp/apt.conf" <<-EOF
		APT { Architecture "$arch"; Architectures { "$arch"; }; Install-Recommends "false"; Sandbox::User ""; };
		Dir::Etc { SourceList "$tmp/sources.list"; SourceParts "/dev/null"; Parts "/dev/null"; PreferencesParts "/dev/null"; };
		Dir::State "$tmp"; Dir::State::Status "$tmp/status"; Dir::State::Lists "$tmp/lists"; Dir::Cache "$tmp"; Dir::Cache::Archives "$tmp/archives";
	EOF
	export APT_CONFIG=$tmp/apt.conf
	{
		apt-get update -qq
		apt-get install -y -qq --download-only libayatana-appindicator3-dev
	} >&2
	for package in "$tmp"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -x -C "$tmp/root" --exclude='./usr/share/[a-oq-z]*' --exclude='./usr/*bin' --exclude='*/dri' --exclude='*/python*'
	done
	mv -T "$tmp/root" "$root"
fi
echo "$root"
