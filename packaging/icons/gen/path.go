package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// unit is how many grid steps one unit of a drawing has. Points lie on whole
// steps and every test on them is in integers: float rounding differs between
// processors, and the files must not.
const unit = 1 << 12

// curveSteps is how many lines stand for one curve.
const curveSteps = 24

type point struct{ x, y int64 }

// A polyline is one part of a path, its curves made into lines.
type polyline []point

// flatten reads the data of an SVG path: absolute M, L, C and Z, the numbers
// separated by spaces. It panics on anything else, as the data is our own.
func flatten(data string) []polyline {
	var lines []polyline
	words := strings.Fields(data)
	for len(words) > 0 {
		command := words[0]
		words = words[1:]
		last := len(lines) - 1
		switch command {
		case "M":
			lines = append(lines, polyline{take(&words)})
		case "L":
			lines[last] = append(lines[last], take(&words))
		case "C":
			from := lines[last][len(lines[last])-1]
			lines[last] = append(lines[last], curve(from, take(&words), take(&words), take(&words))...)
		case "Z":
			lines[last] = append(lines[last], lines[last][0])
		default:
			panic(fmt.Sprintf("path %q: unknown command %q", data, command))
		}
	}
	return lines
}

// take reads one point.
func take(words *[]string) point {
	w := *words
	x, errX := strconv.ParseFloat(w[0], 64)
	y, errY := strconv.ParseFloat(w[1], 64)
	if errX != nil || errY != nil {
		panic(fmt.Sprintf("not a point: %q %q", w[0], w[1]))
	}
	*words = w[2:]
	return point{int64(math.Round(x * unit)), int64(math.Round(y * unit))}
}

// curve returns the points after a on the Bézier curve a, b, c, d.
func curve(a, b, c, d point) []point {
	points := make([]point, curveSteps)
	for i := range points {
		const n = curveSteps
		t := int64(i + 1)
		s := n - t
		mix := func(a, b, c, d int64) int64 {
			return (s*s*s*a + 3*s*s*t*b + 3*s*t*t*c + t*t*t*d) / (n * n * n)
		}
		points[i] = point{mix(a.x, b.x, c.x, d.x), mix(a.y, b.y, c.y, d.y)}
	}
	return points
}

// A segment is a straight part of a path.
type segment struct {
	a, b   point
	length int64
}

// segments returns the lines' parts. Lines that enclose something are closed.
func segments(lines []polyline, closed bool) []segment {
	var all []segment
	for _, line := range lines {
		if closed {
			line = append(line, line[0])
		}
		for i := 1; i < len(line); i++ {
			a, b := line[i-1], line[i]
			dx, dy := b.x-a.x, b.y-a.y
			all = append(all, segment{a, b, isqrt(dx*dx + dy*dy)})
		}
	}
	return all
}

// crosses reports whether s crosses the ray from p to the right. A point is
// inside a path if an odd number of its segments do.
func (s segment) crosses(p point) bool {
	if (s.a.y > p.y) == (s.b.y > p.y) {
		return false
	}
	side := (s.b.x-s.a.x)*(p.y-s.a.y) - (p.x-s.a.x)*(s.b.y-s.a.y)
	return (side > 0) == (s.b.y > s.a.y)
}

// near reports whether p is at most radius away from s.
func (s segment) near(p point, radius int64) bool {
	dx, dy := s.b.x-s.a.x, s.b.y-s.a.y
	px, py := p.x-s.a.x, p.y-s.a.y
	switch along := px*dx + py*dy; {
	case along <= 0:
		return px*px+py*py <= radius*radius
	case along >= dx*dx+dy*dy:
		qx, qy := p.x-s.b.x, p.y-s.b.y
		return qx*qx+qy*qy <= radius*radius
	}
	across := px*dy - py*dx
	return max(across, -across)/s.length <= radius
}

// isqrt returns the whole part of n's square root.
func isqrt(n int64) int64 {
	r := int64(math.Sqrt(float64(n)))
	for r*r > n {
		r--
	}
	for (r+1)*(r+1) <= n {
		r++
	}
	return r
}
