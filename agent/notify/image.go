package notify

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif" // for image.Decode
	_ "image/jpeg"
	_ "image/png"
)

// An Image is a picture of rows of pixels, each with red, green, blue and alpha, where the colours are not
// multiplied by alpha.
type Image struct {
	Width, Height int    // at most 128 each
	Pixels        []byte // 4 bytes for each
}

const (
	maxSide   = 128     // what notifications show; godbus takes 4 ms for so many pixels
	maxPixels = 2 << 20 // of a picture to be decoded: 8 MiB, of some 16; 1920 by 1080 are fewer
	maxScans  = 20
)

// ReadImage decodes the picture in a PNG, JPEG or GIF file, the first one of several, and makes it no larger than
// notifications show it. A picture that would take much memory or time is refused before it is decoded.
func ReadImage(data []byte) (*Image, error) {
	header, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("not a PNG, JPEG or GIF image: %w", err)
	}
	w, h := header.Width, header.Height
	switch {
	case w < 1 || h < 1:
		return nil, fmt.Errorf("image of %d by %d pixels: nothing to show", w, h)
	case w > maxPixels || h > maxPixels || w*h > maxPixels:
		return nil, fmt.Errorf("image of %d by %d pixels: at most %d in all", w, h, maxPixels)
	// Each scan goes over the whole picture, and may be a few bytes long. This marker does not occur in coded data.
	case format == "jpeg" && bytes.Count(data, []byte{0xff, 0xda}) > maxScans:
		return nil, fmt.Errorf("image with more than %d scans", maxScans)
	}
	src, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("damaged image: %w", err)
	}
	if side := max(w, h); side > maxSide {
		w, h = max(w*maxSide/side, 1), max(h*maxSide/side, 1)
	}
	return &Image{w, h, scale(src.(image.RGBA64Image), w, h)}, nil // as all that the standard library decodes
}

// scale takes the average of 16 pixels for each: all of a large picture would take long.
func scale(src image.RGBA64Image, w, h int) []byte {
	const side = 4
	from := src.Bounds()
	pixels := make([]byte, 0, 4*w*h)
	for y := range h {
		for x := range w {
			var r, g, b, a uint32
			for i := range side * side {
				c := src.RGBA64At(from.Min.X+(side*x+i%side)*from.Dx()/(side*w), from.Min.Y+(side*y+i/side)*from.Dy()/(side*h))
				r, g, b, a = r+uint32(c.R), g+uint32(c.G), b+uint32(c.B), a+uint32(c.A)
			}
			all := max(a, 1) // the colours are multiplied by alpha
			pixels = append(pixels, byte(r*255/all), byte(g*255/all), byte(b*255/all), byte(a/(side*side*257)))
		}
	}
	return pixels
}
