package notify

// An Image is a picture of rows of pixels, each with red, green, blue and alpha.
type Image struct {
	Width, Height int
	Pixels        []byte // 4 bytes for each
}
