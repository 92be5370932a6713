package agent

import "context"

// followDesktop begins or ends to follow whether the desktop asks for silence.
func (a *Agent) followDesktop(on bool) {
	switch {
	case a.opts.Silence == nil, on == (a.unfollow != nil):
	case on:
		ctx, cancel := context.WithCancel(a.ctx)
		a.unfollow = cancel
		a.tasks.Go(func() {
			a.opts.Silence(ctx, func(why string) {
				a.ask(func() {
					if ctx.Err() == nil {
						a.pipeline.quiet.desktop = why
					}
				})
			})
		})
	default:
		a.unfollow()
		a.unfollow = nil
	}
}
