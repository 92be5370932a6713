#!/bin/bash
# Checks that everything is ready for a release, and makes its files, in dist/. It
# changes nothing else: what is left to do is printed at the end.
set -eu
cd "$(dirname "$0")/.."

version=${1:-}
fail() {
	echo "release: $*" >&2
	exit 1
}
# entries counts what the changelog says under a heading.
entries() {
	awk -v heading="## [$1]" 'index($0, "## [") == 1 { in_it = index($0, heading) == 1 } in_it && /^- / { n++ } END { print n + 0 }' CHANGELOG.md
}

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "\"$version\" is not a version: make release VERSION=1.2.3"
changes=$(git status --porcelain) # fails outside of a repository
[ -z "$changes" ] || fail "there are changes that are not committed"
grep -qE "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md ||
	fail "CHANGELOG.md has no heading \"## [$version] - $(date +%F)\""
[ "$(entries "$version")" -gt 0 ] || fail "CHANGELOG.md says nothing about $version"
[ "$(entries Unreleased)" = 0 ] || fail "CHANGELOG.md has entries under [Unreleased]"
tag=v$version
publish="git push origin $tag"
if git rev-parse -q --verify "refs/tags/$tag" >/dev/null; then
	[ "$(git rev-parse "$tag^{commit}")" = "$(git rev-parse HEAD)" ] || fail "the tag $tag is at another commit"
else
	publish="git tag -a $tag -m 'sigalert $version' && $publish"
fi

CI=true make test
make dist "VERSION=$version"

# Once more, elsewhere, without what has been compiled, and as a user with other habits.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
git clone -q . "$tmp/tree"
(umask 077 && GOCACHE=$tmp/cache make -C "$tmp/tree" dist "VERSION=$version")
cmp dist/SHA256SUMS "$tmp/tree/dist/SHA256SUMS" || fail "made twice, the files differ"

(cd dist && sha256sum --check --quiet SHA256SUMS)
tar -xzf "dist/sigalert-$version-linux-$(go env GOARCH).tar.gz" -C "$tmp"
built=$("$tmp/sigalert-$version-linux-$(go env GOARCH)/bin/sigalert" version)
[[ $built == "sigalert $version ("*"commit $(git rev-parse --short=12 HEAD) "* ]] || fail "the program says that it is $built"

echo
echo "$built"
ls -l dist
echo
echo "To publish it:  $publish"
echo "and attach the files in dist/ to the release there."
