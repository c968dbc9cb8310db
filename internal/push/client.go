package push

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// requestTime bounds a delivery, from dialling to the end of its answer.
	requestTime = 10 * time.Second
	// maxAnswer bounds what is read of an answer; it is thrown away, and only read so that the connection can be used again.
	maxAnswer = 64 << 10
	// maxRetryAfter bounds how long a target may ask us to wait.
	maxRetryAfter = time.Hour
)

// NewClient is a client that reaches only where the dialer does. It follows no redirect: where one leads is for whoever
// set the target to say.
func NewClient(d *Dialer) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // one of the environment would dial for us, whatever the address
			DialContext:            d.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  requestTime,
			MaxResponseHeaderBytes: 16 << 10,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        30 * time.Second,
			DisableCompression:     true,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       requestTime,
	}
}

// answerError is an answer other than yes.
type answerError struct {
	status     int
	retryAfter time.Duration // 0: not said
}

func (e *answerError) Error() string {
	return fmt.Sprintf("it answered %d %s", e.status, http.StatusText(e.status))
}

func (e *answerError) Chinese() string { return fmt.Sprintf("对方回了 %d", e.status) }

// failure is why nothing came of a delivery, in both languages of who looks after it.
type failure struct{ english, chinese string }

func (f *failure) Error() string   { return f.english }
func (f *failure) Chinese() string { return f.chinese }

var (
	errAddress     = &failure{"its address is not valid", "地址不对"}
	errLate        = &failure{"it did not answer in time", "对方太久没回应"}
	errCertificate = &failure{"its certificate is not valid", "对方的证书无效"}
	errUnreachable = &failure{"it cannot be reached, or broke off", "连不上，或中途断开"}
)

// post sends a request and is content with any 2xx. The error says what went wrong and nothing of where it went or of
// what was sent: addresses of webhooks and devices are secrets.
func post(ctx context.Context, client *http.Client, target string, header http.Header, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return errAddress
	}
	request.Header = header
	request.Header.Set("User-Agent", "Qun")
	answer, err := client.Do(request)
	if err != nil {
		return plainly(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer) // less is no error, and more is not read
	if answer.StatusCode/100 == 2 {
		return nil
	}
	return &answerError{answer.StatusCode, retryAfter(answer.Header.Get("Retry-After"))}
}

// plainly says of an error what its reader can do something about.
func plainly(err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		if inner.Timeout() {
			return errLate
		}
		err = inner.Err
	}
	switch {
	case errors.Is(err, ErrNotPublic):
		return ErrNotPublic
	case errors.Is(err, context.DeadlineExceeded):
		return errLate
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return errCertificate
	}
	return errUnreachable
}

// retryAfter reads a number of seconds; what else there may be (a date) counts as not said.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}
