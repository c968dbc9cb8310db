package main_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// canaries are what nobody but its receivers may ever read, by what they are. Each is told by its last word.
type canaries map[string]string

// of makes a canary.
func (c canaries) of(what string) string {
	c[what] = "canary" + strings.ReplaceAll(what, " ", "") + "sings"
	return c[what]
}

// sings lists the canaries that a text holds.
func (c canaries) sings(text string) (heard []string) {
	for what, canary := range c {
		if strings.Contains(text, canary) {
			heard = append(heard, what)
		}
	}
	return heard
}

// outside is everybody whom the server tells something: it counts, and takes nothing.
func outside(t *testing.T) (plain, secure *httptest.Server, told chan struct{}) {
	t.Helper()
	told = make(chan struct{}, 100)
	plain = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write(body) // an answer that repeats what it was told
		}
		told <- struct{}{}
	}))
	secure = httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			told <- struct{}{}
		}
	}
	secure.StartTLS() // with a certificate that nobody trusts
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	return plain, secure, told
}

func hear(t *testing.T, told chan struct{}, what string) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(2 * patience):
		t.Fatalf("nobody was told %s", what)
	}
}

// A whole chat with words that must not come out anywhere: log, metrics, refusals.
func TestNothingThatPeopleSayOrKeepSecretIsLoggedCountedOrTold(t *testing.T) {
	secret := canaries{}
	folder := t.TempDir()
	lin, linToken := makeMember(t, folder, secret.of("nick name"))
	_, wangToken := makeMember(t, folder, "wang")
	secret["token"], secret["another token"] = strings.TrimPrefix(linToken, "s."), strings.TrimPrefix(wangToken, "s.")
	p := start(t, "--data", folder, "--webhook-network", "127.0.0.0/8", "--metrics", "all")
	plain, secure, told := outside(t)
	var refusals strings.Builder
	page := p.browser(t)

	// over HTTP
	http := func(method, path, token string, body any) string {
		t.Helper()
		text := ""
		if body != nil {
			text = encode(t, body)
		}
		answer, got := page.do(t, method, path, text, "", bearer(token))
		if answer.StatusCode >= 400 {
			fmt.Fprintln(&refusals, method, got)
		}
		return got
	}
	http("POST", "/api/v1/session", "", object{"nickName": secret.of("guest name")})
	http("POST", "/api/v1/session", "", object{"username": "wang", "password": secret.of("wrong password")})
	http("POST", "/api/v1/users", "", object{"username": "canary", "password": secret.of("password"), "nickName": secret.of("new name")})
	http("POST", "/api/v1/users", "", object{"username": 7, "password": secret.of("password of a wrong shape")})
	http("POST", "/api/v1/password", "", object{"code": secret.of("code"), "password": secret.of("new password")})
	http("POST", "/api/v1/setup", "", object{"code": secret.of("set-up code"), "username": "x", "password": secret.of("first password")})
	http("GET", "/api/v1/session", "s."+secret.of("bad token"), nil)
	http("GET", "/api/v1/session", "g."+secret.of("bad guest token")+".x", nil)
	http("GET", "/api/v1/users/"+secret.of("path"), linToken, nil)
	http("GET", "/api/v1/search?text="+secret.of("search"), linToken, nil)
	http("GET", "/"+secret.of("address")+"?x="+secret.of("query"), "", nil)
	page.do(t, "GET", "/api/v1/session", "", p.url, func(r *httpRequest) { r.Header.Set("Cookie", "qun="+secret.of("cookie")) })

	// over a socket
	a, b := p.dial(t, withToken(linToken)), p.dial(t, withToken(wangToken))
	a.must("hello", object{"protocol": 1})
	b.must("hello", object{"protocol": 1})
	var in struct{ Group struct{ GroupID string } }
	a.must("joinRoom", object{"roomName": secret.of("room"), "nickName": ""}).into(t, &in)
	b.must("joinRoom", object{"groupId": in.Group.GroupID})
	group := in.Group.GroupID
	ask := func(c *peer, event string, payload any) reply {
		t.Helper()
		r := c.ask(event, payload)
		if !r.OK {
			fmt.Fprintln(&refusals, string(r.Raw))
		}
		return r
	}
	ask(a, "sendMessage", object{"groupId": group, "message": secret.of("text"), "clientId": secret.of("client id")})
	ask(a, "sendMessage", object{"groupId": group, "message": secret.of("conflict"), "clientId": secret["client id"]})
	ask(a, "sendMessage", object{"groupId": group, "message": strings.Repeat(secret.of("long text"), 500)})
	ask(a, "sendMessage", object{"groupId": secret.of("group"), "message": secret.of("text to nowhere")})
	ask(a, "sendMessage", object{"groupId": object{secret.of("field"): 1}, "message": []string{secret.of("text of a wrong shape")}})
	ask(a, secret.of("event"), object{"message": secret.of("text of an unknown event")})
	ask(a, "editMessage", object{"groupId": group, "seq": 999, "message": secret.of("edit")})
	ask(a, "search", object{"text": secret.of("socket search")})
	ask(a, "report", object{"groupId": group, "seq": 999, "reason": secret.of("reason")})
	ask(a, "createWebhook", object{"groupId": group, "kind": "outgoing", "name": "x", "url": "ftp://" + secret.of("bad webhook")})
	if _, err := p.try(t, withToken("s."+secret.of("bad socket token"))); err == nil || len(secret.sings(err.Error())) > 0 {
		t.Errorf("a bad token: %v", err)
	}
	upload(t, page, secret.of("file name")+".txt", secret.of("file"), linToken)

	// outward
	hook := ask(a, "createWebhook", object{"groupId": group, "kind": "outgoing", "name": "archive", "url": plain.URL + "/in?key=" + secret.of("webhook address")})
	var made struct {
		Webhook      struct{ WebhookID string }
		Secret, Path string
	}
	hook.into(t, &made)
	secret["webhook secret"] = strings.TrimPrefix(made.Secret, "whsec_")
	ask(a, "testWebhook", object{"groupId": group, "webhookId": made.Webhook.WebhookID})
	hear(t, told, "a test")
	subscribe(t, b, secure.URL+"/"+secret.of("push endpoint"))
	ask(b, "visible", object{"on": false})
	ask(a, "sendMessage", object{"groupId": group, "message": secret.of("text that is told outside")})
	hear(t, told, "by a webhook")
	hear(t, told, "by Web Push")
	door := ask(a, "createWebhook", object{"groupId": group, "kind": "incoming", "name": secret.of("bot name")})
	door.into(t, &made)
	secret["incoming secret"] = made.Secret
	http("POST", made.Path, "", object{"message": secret.of("text of a bot")})
	http("POST", made.Path, "", object{"message": secret.of("text of a named bot"), "nickName": lin.NickName})
	http("POST", made.Path+"x", "", object{"message": secret.of("text of a stranger")})
	http("PUT", made.Path, "", nil)

	answer, metrics := page.do(t, "GET", "/metrics", "", "")
	if answer.StatusCode != 200 || !strings.Contains(metrics, `qun_told_total{kind="webhook"`) {
		t.Errorf("metrics: %d %.300s", answer.StatusCode, metrics)
	}
	p.end(t)
	for where, text := range map[string]string{"the log": p.err.String(), "the metrics": metrics, "a refusal": refusals.String()} {
		if heard := secret.sings(text); len(heard) > 0 {
			t.Errorf("%s holds the %q:\n%s", where, heard, text)
		}
	}
	if refusals.Len() == 0 {
		t.Error("nothing was refused: the test looks at nothing")
	}
}

type httpRequest = http.Request

func bearer(token string) func(*httpRequest) {
	return func(r *httpRequest) {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// upload sends a file as a form does.
func upload(t *testing.T, page *browser, name, content, token string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write([]byte(content))
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	page.do(t, "POST", "/api/v1/files", body.String(), "", bearer(token), func(r *httpRequest) {
		r.Header.Set("Content-Type", form.FormDataContentType())
	})
}

// subscribe lets a new browser of the peer be called.
func subscribe(t *testing.T, c *peer, endpoint string) {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.must("subscribePush", object{"subscription": object{"endpoint": endpoint, "keys": object{
		"p256dh": base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()),
		"auth":   base64.RawURLEncoding.EncodeToString(make([]byte, 16)),
	}}})
}
