// Package icons carries the application's icon, as a freedesktop.org icon theme
// keeps it.
//
// The icons are drawn in SVG: the application's in hicolor/scalable/apps, the
// tray's four looks in tray. After a change, run "make icons": it makes the
// application's PNG files here, and the tray's PNG and ICO files in tray/icons at
// the top of the source tree.
//
// The tray's bell lies on a grid of 22 that leaves room for a mark on its right.
// Its straight edges lie on whole units, so that they are sharp at 22 and 44
// pixels. The looks differ in shape as well as in color, and a gap separates each
// mark from the bell. All colors have a contrast of at least 3:1 against white
// and against a dark panel (#2b2b2b), so the shapes need no outline.
package icons

import "embed"

// Theme holds hicolor/SIZExSIZE/apps/sigalert.png for the sizes 16, 22, 24, 32,
// 48, 64, 128 and 256, and hicolor/scalable/apps/sigalert.svg.
//
//go:embed hicolor
var Theme embed.FS
