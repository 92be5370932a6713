//go:build linux

package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// background is what paint gives the screen, and Sway's configuration, too.
var background = color.RGBA{0x66, 0x78, 0x8a, 255}

// A sight is what a person sees on the screen.
type sight struct{ *image.RGBA }

// look returns what is on a part of the screen.
func (d *desktop) look(t testing.TB, part image.Rectangle) sight {
	t.Helper()
	s := sight{image.NewRGBA(part)}
	draw.Draw(s, part, d.screenshot(t), part.Min, draw.Src)
	return s
}

// lookAtRest waits until there is something to see, and until nothing has moved for a
// moment, as between the steps of an animation.
func (d *desktop) lookAtRest(t testing.TB, part image.Rectangle) (now sight) {
	t.Helper()
	const moment = 300 * time.Millisecond
	var since time.Time
	eventually(t, "something rests on the screen", func() bool {
		before := now
		if now = d.look(t, part); before.RGBA == nil || !bytes.Equal(before.Pix, now.Pix) {
			since = time.Now()
		}
		return time.Since(since) > moment && !now.things().Empty()
	})
	return now
}

// blank waits until there is nothing to see but the background.
func (d *desktop) blank(t testing.TB, part image.Rectangle) {
	t.Helper()
	eventually(t, "nothing is on the screen", func() bool { return d.look(t, part).things().Empty() })
}

// things is where everything is that is not the background.
func (s sight) things() image.Rectangle {
	return s.where(func(c color.RGBA) bool { return c != background })
}

// where is the smallest rectangle around all pixels of some colours.
func (s sight) where(is func(color.RGBA) bool) (r image.Rectangle) {
	for y := s.Rect.Min.Y; y < s.Rect.Max.Y; y++ {
		for x := s.Rect.Min.X; x < s.Rect.Max.X; x++ {
			if is(s.RGBAAt(x, y)) {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// A word was read on the screen.
type word struct {
	text string
	at   image.Rectangle
}

// find reads the screen until it finds a text, and returns where.
func (d *desktop) find(t testing.TB, part image.Rectangle, text string) (at image.Rectangle) {
	t.Helper()
	var read string
	defer func() {
		if t.Failed() {
			t.Logf("read: %s", read)
		}
	}()
	eventually(t, strconv.Quote(text)+" is on the screen", func() (found bool) {
		at, read, found = d.look(t, part).find(t, text)
		return found
	})
	return at
}

// find also returns all that it has read. A few letters may be read wrong.
func (s sight) find(t testing.TB, text string) (at image.Rectangle, read string, found bool) {
	t.Helper()
	want, n := strings.ReplaceAll(text, " ", ""), len(strings.Fields(text))
	for _, mode := range []string{"6", "11"} { // as a block, and word by word
		words := s.words(t, mode)
		for i, first := range words {
			read += first.text + " "
			var got string
			for _, w := range words[i:min(i+n+1, len(words))] {
				if got += w.text; distance(got, want) <= len(want)/8 {
					return first.at.Union(w.at), read, true
				}
			}
		}
	}
	return at, read, false
}

// distance is how many letters to add, leave out or change to make a of b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// words reads the words from top to bottom.
func (s sight) words(t testing.TB, mode string) (words []word) {
	t.Helper()
	part := s.things()
	if part.Empty() {
		return nil
	}
	var picture bytes.Buffer
	check(t, png.Encode(&picture, s.SubImage(part)))
	// Letters are easier to read when they are large.
	c := exec.Command("sh", "-c", "convert png:- -colorspace Gray -resize 300% png:- | tesseract - - --psm "+mode+" tsv")
	c.Env, c.Stdin, c.WaitDelay = []string{"PATH=/usr/bin:/bin", "OMP_THREAD_LIMIT=1"}, &picture, time.Second
	out, err := c.Output()
	if err != nil {
		t.Fatalf("tesseract: %v", err)
	}
	for row := range strings.Lines(string(out)) {
		// level, page, block, paragraph, line, word, left, top, width, height, confidence, text
		f := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		if len(f) != 12 || f[0] != "5" || strings.TrimSpace(f[11]) == "" {
			continue
		}
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(f[6+i])
			n[i] /= 3
		}
		at := image.Rect(n[0], n[1], n[0]+n[2], n[1]+n[3]).Add(part.Min)
		words = append(words, word{f[11], at})
	}
	return words
}

func middle(r image.Rectangle) image.Point { return r.Min.Add(r.Max).Div(2) }
