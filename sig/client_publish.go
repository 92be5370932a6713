package sig

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig/internal/wire"
)

// Publish publishes events at the server: all of them, or none. It waits for a
// connection, and for the answer, which means that the server has them. If the
// connection ends before the answer, the events are sent again over the next one; a
// server delivers them once, by their ids, and those without one get one here.
//
// The error is ErrNoPublish at a pysig server, ErrTooLarge, [json.Marshal]'s for data
// that JSON cannot hold, a *RemoteError, or ctx's; the latter is also ErrNoAnswer if
// the events may have arrived.
func (c *ClientRouter) Publish(ctx context.Context, events ...Publication) (Published, error) {
	if len(events) == 0 {
		return Published{}, nil
	}
	params, err := c.appendPublications(nil, events)
	if err != nil {
		return Published{}, err
	}
	sent := false
	for {
		p, err := c.asking(ctx)
		switch {
		case err != nil && sent:
			return Published{}, fmt.Errorf("%w: %w", ErrNoAnswer, err)
		case err != nil:
			return Published{}, err
		case !p.greeting.publish:
			return Published{}, ErrNoPublish
		}
		text, err := p.call(ctx, "publish", params)
		switch {
		case err == nil:
			return publishedOf(text)
		case isRefusal(err):
			return Published{}, err
		}
		sent = true
		// The link may take a moment to see that the connection has ended.
		if !wait.Sleep(ctx, 10*time.Millisecond, nil) {
			return Published{}, fmt.Errorf("%w: %w", ErrNoAnswer, err)
		}
	}
}

func publishedOf(response []byte) (done Published, err error) {
	seq, isNumber := unsigned(member(response, "seq"))
	listeners, isCount := unsigned(member(response, "listeners"))
	if !isNumber || !isCount {
		return done, fmt.Errorf("publish: the answer is not as expected: %s", wire.Excerpt(response))
	}
	return Published{seq, int(listeners)}, nil
}

func (c *ClientRouter) appendPublications(b []byte, events []Publication) ([]byte, error) {
	b = append(b, `{"events":[`...)
	for i, e := range events {
		p := publication{sender: e.Sender, event: e.Event, data: dataOf(e.Data), id: e.ID}
		if err := p.check(); err != nil {
			return nil, inBatch(err, i, len(events))
		}
		if p.id == "" {
			p.id = c.sending.identity[:16] + "-" + strconv.FormatUint(c.publications.Add(1), 10)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = appendInfo(append(b, `{"info":`...), p.sender, p.event)
		b = append(append(b, `,"data":`...), p.text...)
		b = append(wire.AppendString(append(b, `,"id":`...), p.id), '}')
	}
	return append(b, "]}"...), nil
}
