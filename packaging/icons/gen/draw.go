package main

import (
	"image"
	"image/color"
)

// samples is how many points across and down one pixel are tested.
const samples = 8

// A layer is one shape of a drawing, painted over the earlier ones.
type layer struct {
	path  string     // SVG path data
	color color.RGBA // opaque; the zero color rubs out what lies below
	width float64    // of the line along the path, with round ends; 0 fills the path
}

// A drawing is a square picture, size units wide.
type drawing struct {
	size   int
	layers []layer
}

// render draws d with pixels pixels to a side.
func (d drawing) render(pixels int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, pixels, pixels))
	at := func(sample int) int64 { // the middle of a sample
		return int64(2*sample+1) * int64(d.size) * unit / int64(2*pixels*samples)
	}
	for _, l := range d.layers {
		s := newShape(l)
		for y := range pixels {
			covered := make([]int, pixels) // samples of each pixel in this row
			for i := range samples {
				sampleY := at(y*samples + i)
				row := s.row(sampleY)
				for j := range pixels * samples {
					if len(row) > 0 && s.contains(row, point{at(j), sampleY}) {
						covered[j/samples]++
					}
				}
			}
			for x, n := range covered {
				blend(img, x, y, l.color, n)
			}
		}
	}
	return img
}

// A shape is a layer made ready for testing points.
type shape struct {
	segments []segment
	radius   int64 // half the width of the line; 0 fills
}

func newShape(l layer) shape {
	radius := int64(l.width * unit / 2)
	return shape{segments(flatten(l.path), radius == 0), radius}
}

// row returns the segments that points at height y have to do with.
func (s shape) row(y int64) []segment {
	var row []segment
	for _, g := range s.segments {
		if min(g.a.y, g.b.y)-s.radius <= y && y <= max(g.a.y, g.b.y)+s.radius {
			row = append(row, g)
		}
	}
	return row
}

func (s shape) contains(row []segment, p point) bool {
	in := false
	for _, g := range row {
		switch {
		case s.radius > 0 && g.near(p, s.radius):
			return true
		case s.radius == 0 && g.crosses(p):
			in = !in
		}
	}
	return in
}

// blend paints c over a pixel of which n samples are covered.
func blend(img *image.NRGBA, x, y int, c color.RGBA, n int) {
	if n == 0 {
		return
	}
	const all = samples * samples
	old := img.NRGBAAt(x, y)
	keep := int(old.A) * (all - n) // in 1/all of a step of alpha
	if c.A == 0 {
		old.A = uint8(keep / all)
		img.SetNRGBA(x, y, old)
		return
	}
	add := 255 * n
	sum := keep + add
	mix := func(old, new uint8) uint8 {
		return uint8((int(old)*keep + int(new)*add + sum/2) / sum)
	}
	img.SetNRGBA(x, y, color.NRGBA{
		R: mix(old.R, c.R), G: mix(old.G, c.G), B: mix(old.B, c.B),
		A: uint8((sum + all/2) / all),
	})
}
