#!/bin/bash
# Installs what the tests need and this machine lacks: on Debian or Ubuntu, as root or with a sudo that
# needs no password. Elsewhere it says what to install and what is left out until then.
# With SIGALERT_TEST_ALL=1 it fails unless everything is there. "deps.sh dist" does the same for what
# make dist needs, "deps.sh packages" for the tests of what that makes, and "deps.sh desktops" for
# make desktops.
set -eu

# package | what cannot run without it | how to see that it is there
needs='
gcc                          | race detector, GTK tray, bench  | command -v gcc
libc6-dev                    | race detector, GTK tray         | test -e /usr/include/stdlib.h
pkg-config                   | GTK tray                        | command -v pkg-config
libayatana-appindicator3-dev | GTK tray                        | pkg-config --exists ayatana-appindicator3-0.1
dbus                         | desktop tests                   | command -v dbus-daemon
xvfb                         | desktop tests                   | command -v Xvfb
xdotool                      | desktop tests                   | command -v xdotool
dunst                        | desktop tests                   | command -v dunst
xfce4-notifyd                | a second notification server    | ls /usr/lib/*/xfce4/notifyd/xfce4-notifyd
xfce4-panel                  | desktop tests                   | command -v xfce4-panel
imagemagick                  | desktop tests                   | command -v import
fonts-dejavu-core            | desktop tests                   | fc-list | grep DejaVuSans.ttf
desktop-file-utils           | test of the entry that starts it at login | command -v desktop-file-validate
librsvg2-bin                 | test that the icons match the drawings | command -v rsvg-convert
wine                         | test of the archive for Windows | command -v wine
binutils-mingw-w64-x86-64    | test of the archive for Windows | command -v x86_64-w64-mingw32-ld
chromium                     | tests of the page in a browser  | command -v chromium
nginx-light                  | test of the page behind nginx   | command -v nginx || test -x /usr/sbin/nginx
npm                          | test of the pages with axe-core  | command -v npm
curl                         | tests of docs/sending.md       | command -v curl
python3                      | tests of docs/sending.md       | command -v python3
nodejs                       | tests of docs/sending.md       | command -v node
openssh-client               | tests of docs/sending.md       | command -v ssh
systemd                      | tests of docs/sending.md, and of the units | command -v systemd-analyze
strace                       | test of the unit of the router  | command -v strace
zsh                          | test of the hook for zsh        | command -v zsh
fish                         | test of the hook for fish       | command -v fish
iproute2                     | tests in networks of their own   | command -v ip
vim-tiny                     | test of saving with vim         | command -v vim.tiny || command -v vim
man-db                       | test of the manual              | command -v man
bash-completion              | test of the completions         | test -e /usr/share/bash-completion/bash_completion
git                          | test of a release               | command -v git
tesseract-ocr                | test of what desktops show      | command -v tesseract
'
[ "${1:-}" != dist ] || needs='
gcc                          | sigalert-gtk for amd64          | command -v x86_64-linux-gnu-gcc
gcc-aarch64-linux-gnu        | sigalert-gtk for arm64          | command -v aarch64-linux-gnu-gcc
pkg-config                   | sigalert-gtk                    | command -v pkg-config
debian-archive-keyring       | sigalert-gtk                    | test -e /usr/share/keyrings/debian-archive-keyring.gpg
'
[ "${1:-}" != packages ] || needs='
debootstrap                  | the packages on a fresh Debian  | command -v debootstrap
lintian                      | check of the packages           | command -v lintian
systemd-container            | the packages where systemd runs | command -v systemd-nspawn
rpm                          | test of the packages of Fedora  | command -v rpm
'
[ "${1:-}" != desktops ] || needs='
mate-notification-daemon     | MATE notification server         | test -x /usr/lib/mate-notification-daemon/mate-notification-daemon
notification-daemon          | GNOME notification server        | test -x /usr/lib/notification-daemon/notification-daemon
lxqt-notificationd           | LXQt notification server         | command -v lxqt-notificationd
mako-notifier                | a notification server for Wayland | command -v mako
mate-panel                   | MATE panel                       | command -v mate-panel
lxqt-panel                   | LXQt panel                       | command -v lxqt-panel
sway                         | Wayland                         | command -v sway
waybar                       | a panel for Wayland             | command -v waybar
grim                         | Wayland                         | command -v grim
'

# missing prints the packages that are not there, or with "why" what cannot run without them.
missing() {
	while IFS='|' read -r package without check; do
		[ -n "$check" ] && ! sh -c "$check" >/dev/null 2>&1 || continue
		if [ "${1:-}" = why ]; then echo $without; else echo $package; fi
	done <<<"$needs"
}

packages=$(missing | xargs)
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then root=""; else root="sudo -n"; fi
if command -v apt-get >/dev/null && { [ -z "$root" ] || sudo -n true 2>/dev/null; }; then
	echo "installing: $packages"
	$root apt-get update -q </dev/null &&
		$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
			-o DPkg::Lock::Timeout=120 $packages </dev/null || echo "apt-get failed"
	packages=$(missing | xargs)
	[ -n "$packages" ] || exit 0
fi

echo "Missing, and not installed: $packages"
echo "Left out for that reason: $(missing why | sed 's/, /\n/g' | sort -u | paste -sd, | sed 's/,/, /g')"
echo "To install it:  sudo apt-get install -y --no-install-recommends $packages"
[ "${SIGALERT_TEST_ALL:-}" != 1 ]
