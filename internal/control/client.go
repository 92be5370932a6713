package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
)

// ErrNobody is wrapped by the error of [Call] where no server has the socket.
var ErrNobody = errors.New("nobody answers")

// Refused is an error that the server answered with.
type Refused struct{ Text string }

func (r *Refused) Error() string { return r.Text }

// Call asks the server at path for something, and decodes the answer into result. A nil
// params sends none, and a nil result ignores what is answered. It waits for as long as
// a server may take, or until ctx ends.
func Call(ctx context.Context, path, method string, params, result any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, askTime+doTime, fmt.Errorf("no answer within %s", askTime+doTime))
	defer cancel()
	conn, err := dial(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w at %s", ErrNobody, path)
	case err != nil:
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := checkServer(conn); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	err = ask(conn, method, params, result)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", path, context.Cause(ctx))
	}
	return err
}

func ask(conn net.Conn, method string, params, result any) error {
	question := map[string]any{"method": method}
	if params != nil {
		question["params"] = params
	}
	text, err := encode(question)
	if err != nil {
		return err
	}
	_, werr := conn.Write(append(text, '\n'))
	// It may have answered something even so: why it refuses.
	line, err := bufio.NewReader(io.LimitReader(conn, maxAnswer+maxRequest)).ReadBytes('\n')
	var a answer
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	switch {
	case err != nil && werr != nil:
		return werr
	case errors.Is(err, io.EOF):
		return errors.New("the connection ended without an answer")
	case err != nil:
		return fmt.Errorf("the answer: %w", err)
	case a.Error != "":
		return &Refused{a.Error}
	case result == nil:
		return nil
	}
	return json.Unmarshal(a.Result, result)
}
