package main

import (
	"fmt"
	"image/color"
)

// The middling tones have a contrast of 3:1 and more against white and against
// a dark panel (#2b2b2b), so the shapes need no outline.
var (
	blue   = color.RGBA{0x2f, 0x80, 0xed, 0xff}
	green  = color.RGBA{0x12, 0x9a, 0x4f, 0xff}
	amber  = color.RGBA{0xd9, 0x77, 0x06, 0xff}
	red    = color.RGBA{0xe0, 0x2f, 0x2f, 0xff}
	grey   = color.RGBA{0x7d, 0x86, 0x94, 0xff}
	white  = color.RGBA{0xff, 0xff, 0xff, 0xff}
	rubOut = color.RGBA{}
)

// The bell, on a grid of 22 that leaves room for a mark on its right. The
// straight edges lie on whole units, so that they are sharp at 22 and 44 pixels.
const (
	knob    = "M 10 1.9 L 10 3"
	dome    = "M 10 2.2 C 6.2 2.2 4 5 4 8.6 L 4 11.6 C 4 13.3 3.2 14.3 2.3 15.3 C 1.6 16.1 2.1 17 3 17 L 17 17 C 17.9 17 18.4 16.1 17.7 15.3 C 16.8 14.3 16 13.3 16 11.6 L 16 8.6 C 16 5 13.8 2.2 10 2.2 Z"
	rim     = "M 10 3.2 C 6.8 3.2 5 5.6 5 8.6 L 5 11.8 C 5 13.8 4 15 3 16 L 17 16 C 16 15 15 13.8 15 11.8 L 15 8.6 C 15 5.6 13.2 3.2 10 3.2 Z"
	clapper = "M 7.2 18.3 L 12.8 18.3 C 12.8 19.9 11.5 21 10 21 C 8.5 21 7.2 19.9 7.2 18.3 Z"
)

// looks returns the drawings of the tray, by the name of their files. They
// differ in shape as well as in color, and a gap parts each mark from the bell.
func looks() map[string]drawing {
	const bars = "M 14.3 14 L 14.3 19.5 M 18.7 14 L 18.7 19.5"
	return map[string]drawing{
		"connected": bell(blue,
			dot(17, 5, 5.2, rubOut),
			dot(17, 5, 3.8, green)),
		"connecting": {22, []layer{
			{path: knob, color: amber, width: 2.4},
			{path: rim, color: amber, width: 2},
			dot(5.2, 19.6, 1.4, amber),
			dot(10, 19.6, 1.4, amber),
			dot(14.8, 19.6, 1.4, amber),
		}},
		"paused": bell(grey,
			layer{path: bars, color: rubOut, width: 5.6},
			layer{path: bars, color: blue, width: 2.6}),
		"trouble": bell(red,
			layer{path: "M 18.5 3 L 18.5 11.5", color: rubOut, width: 6},
			layer{path: "M 18.5 2.5 L 18.5 7.5", color: red, width: 3},
			dot(18.5, 11.5, 1.6, red)),
	}
}

// bell returns the full bell with what marks it.
func bell(c color.RGBA, marks ...layer) drawing {
	return drawing{22, append([]layer{
		{path: knob, color: c, width: 2.4},
		{path: dome, color: c},
		{path: clapper, color: c},
	}, marks...)}
}

// application returns the program's icon: the bell, ringing, on a blue tile.
func application() drawing {
	const (
		tile    = "M 12 2 L 36 2 C 42 2 46 6 46 12 L 46 36 C 46 42 42 46 36 46 L 12 46 C 6 46 2 42 2 36 L 2 12 C 2 6 6 2 12 2 Z"
		knob    = "M 24 10.4 L 24 12"
		dome    = "M 24 10.8 C 18.4 10.8 15 15 15 20.4 L 15 24.6 C 15 27.4 13.8 28.9 12.4 30.4 C 11.3 31.6 12 33 13.4 33 L 34.6 33 C 36 33 36.7 31.6 35.6 30.4 C 34.2 28.9 33 27.4 33 24.6 L 33 20.4 C 33 15 29.6 10.8 24 10.8 Z"
		clapper = "M 19.8 35 L 28.2 35 C 28.2 37.4 26.3 39 24 39 C 21.7 39 19.8 37.4 19.8 35 Z"
		waves   = "M 12.6 11.2 C 10.4 13.6 9.2 16.7 9 20 M 35.4 11.2 C 37.6 13.6 38.8 16.7 39 20"
	)
	return drawing{48, []layer{
		{path: tile, color: blue},
		{path: knob, color: white, width: 3.6},
		{path: dome, color: white},
		{path: clapper, color: white},
		{path: waves, color: white, width: 2.8},
	}}
}

// dot is a filled circle.
func dot(x, y, radius float64, c color.RGBA) layer {
	return layer{path: fmt.Sprintf("M %g %g L %g %g", x, y, x, y), color: c, width: 2 * radius}
}
