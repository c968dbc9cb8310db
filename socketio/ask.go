package socketio

import (
	"context"
	"errors"
)

// Ask is Socket.EmitWithAck with a type: the first argument of the answer is decoded into Out. Out may be Args for all
// arguments, or struct{} for none.
func Ask[Out any](ctx context.Context, s *Socket, event string, args ...any) (Out, error) {
	answer, err := s.EmitWithAck(ctx, event, args...)
	if err != nil {
		var none Out
		return none, err
	}
	return decodeInput[Out](answer)
}

// AskAll is Broadcast.EmitWithAck with a type: the first argument of each answer is decoded into Out, see Ask. With an error come
// the answers of those who did answer, in a way that can be decoded.
func AskAll[Out any](ctx context.Context, b Broadcast, event string, args ...any) ([]Out, error) {
	answers, err := b.EmitWithAck(ctx, event, args...)
	decoded := make([]Out, 0, len(answers))
	for _, a := range answers {
		out, decodeErr := decodeInput[Out](a)
		if decodeErr != nil {
			err = errors.Join(err, decodeErr)
			continue
		}
		decoded = append(decoded, out)
	}
	return decoded, err
}
