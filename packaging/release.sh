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

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "\"$version\" is not a version: make release VERSION=1.2.3"
[ -z "$(git status --porcelain)" ] || fail "there are changes that are not committed"
grep -qE "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md ||
	fail "CHANGELOG.md has no heading \"## [$version] - $(date +%F)\""
entries=$(sed -n "/^## \[${version//./\\.}\]/,/^## \[/p" CHANGELOG.md | grep -c '^- ' || true)
[ "$entries" -gt 0 ] || fail "CHANGELOG.md says nothing about $version"
tag=v$version
if git rev-parse -q --verify "refs/tags/$tag" >/dev/null; then
	[ "$(git rev-parse "$tag^{commit}")" = "$(git rev-parse HEAD)" ] || fail "the tag $tag is at another commit"
fi

CI=true make test
make dist "VERSION=$version"
cp dist/SHA256SUMS dist.sums
trap 'rm -f dist.sums' EXIT
make dist "VERSION=$version"
cmp dist.sums dist/SHA256SUMS || fail "made twice, the files differ"
built=$(tar -xzOf "dist/sigalert-$version-linux-$(go env GOARCH).tar.gz" "sigalert-$version-linux-$(go env GOARCH)/sigalert" >dist.program &&
	chmod +x dist.program && ./dist.program version && rm dist.program)
case $built in
"sigalert $version ("*) ;;
*) fail "the program says that it is $built" ;;
esac

echo
echo "$built"
(cd dist && cat SHA256SUMS)
echo
echo "To publish it:  git tag -a $tag -m 'sigalert $version' && git push origin $tag"
echo "and attach the files in dist/ to the release there."
