package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sigalert/internal/words"
)

func (p *program) show() *cobra.Command {
	var asked showParams
	cmd := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Show an alert again",
		Long: `Has the running agent show one of its last alerts again, with what became of it.
"sigalert explain" lists them with their numbers. With --press, the agent does what a
button of the alert does, and shows the answer if there is one.`,
		Example: `  sigalert show 17
  sigalert show 17 --press "Open the door"`,
		Args: func(cmd *cobra.Command, args []string) (err error) {
			switch {
			case len(args) != 1:
				return usage(fmt.Errorf("show takes one NUMBER, got %s", words.Count(len(args), "argument")))
			case cmd.Flags().Changed("press") && asked.Press == "":
				return usage(errors.New("--press must not be empty"))
			}
			asked.Number, err = eventNumber(args[0])
			return err
		},
		ValidArgsFunction: completeNumbers,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := askAgent(cmd.Context(), "show", asked, nil)
			return err
		},
	}
	cmd.Flags().StringVar(&asked.Press, "press", "", "do what the button with this `LABEL` does")
	return cmd
}
