package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"qun/internal/auth"
	"qun/internal/chat"
	"qun/internal/files"
	"qun/internal/rest"
	"qun/internal/store"
	"qun/internal/store/fresh"
)

// listener hears nothing.
type listener struct{}

func (listener) Notify(chat.Event) {}

// newChat is a chat on a store of its own.
func newChat(t *testing.T) (*chat.Service, *store.Store) {
	t.Helper()
	data, err := store.Open(t.Context(), store.Config{Dir: fresh.Dir(t)})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := files.Open(files.Config{Dir: filepath.Join(t.TempDir(), "files"), Pixels: 40e6})
	if err != nil {
		t.Fatal(err)
	}
	limits := chat.DefaultLimits()
	limits.MessagesPerSecond = 0 // tests of other things would run into it
	service := chat.New(data, listener{}, chat.Config{Files: kept, Limits: limits})
	t.Cleanup(func() {
		if err := errors.Join(service.Close(context.Background()), data.Close(), kept.Close()); err != nil {
			t.Error(err)
		}
	})
	return service, data
}

// newHouse is a site on a whole chat.
func newHouse(t *testing.T, change func(*rest.Config)) (*site, *chat.Service) {
	t.Helper()
	service, data := newChat(t)
	who, err := auth.New(t.Context(), data, auth.Config{Cost: auth.Cost{Memory: 64, Passes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return newSite(t, func(c *rest.Config) {
		c.Chat, c.Auth = service, who
		if change != nil {
			change(c)
		}
	}), service
}

// operation is what the OpenAPI document says of one.
type operation struct {
	method, path string

	OperationID string
	Summary     string
	Tags        []string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   map[string]any
	}
	RequestBody *struct {
		Content map[string]struct{ Schema map[string]any }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema map[string]any }
	}
}

// url is the operation's path with something in the place of each parameter.
func (o *operation) url() string {
	return regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(o.path, "1")
}

func (o *operation) open() bool {
	return slices.ContainsFunc(o.Security, func(way map[string][]string) bool { return len(way) == 0 })
}

func (o *operation) takes(kind string) bool {
	if o.RequestBody == nil {
		return false
	}
	_, ok := o.RequestBody.Content[kind]
	return ok
}

// readDocument returns the published document, and its operations in a fixed order.
func readDocument(t *testing.T, s *site) (doc map[string]any, all []*operation) {
	t.Helper()
	w := s.ask("GET", "/openapi.json", "")
	var parsed struct {
		Paths map[string]map[string]json.RawMessage
	}
	if json.Unmarshal(w.Body.Bytes(), &doc) != nil || json.Unmarshal(w.Body.Bytes(), &parsed) != nil || w.Code != http.StatusOK {
		t.Fatalf("got %d %.200s", w.Code, w.Body)
	}
	for path, item := range parsed.Paths {
		for method, raw := range item {
			o := &operation{method: strings.ToUpper(method), path: path}
			if err := json.Unmarshal(raw, o); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return doc, all
}

// send asks for an operation with the least that it takes.
func (s *site) send(o *operation, change ...func(*http.Request)) *httptest.ResponseRecorder {
	body := ""
	if o.takes("application/json") {
		body = "{}"
	}
	return s.ask(o.method, o.url(), body, change...)
}

// wantDocumented checks that an answer is one that the document promises.
func wantDocumented(t *testing.T, o *operation, w *httptest.ResponseRecorder, when string) {
	t.Helper()
	if _, ok := o.Responses[strconv.Itoa(w.Code)]; !ok {
		t.Errorf("%s: got %d %s, which the document does not know", when, w.Code, w.Body)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: Cache-Control is %q", when, got)
	}
	if w.Code < 400 {
		return
	}
	var body struct {
		Error struct{ Code, Message string }
	}
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil || body.Error.Code == "" || body.Error.Message == "" {
		t.Errorf("%s: got %d %+v, %v", when, w.Code, body, err)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("%s: Content-Type is %q", when, got)
	}
	if described := o.Responses[strconv.Itoa(w.Code)].Description; !strings.Contains(described, body.Error.Code) {
		t.Errorf("%s: got %s, the document knows %s", when, body.Error.Code, described)
	}
}

func TestEveryOperationKeepsTheRulesOfTheHouse(t *testing.T) {
	s, service := newHouse(t, nil)
	register(t, service, chat.RegistrationOpen)
	_, all := readDocument(t, s)
	if len(all) < 5 {
		t.Fatalf("the document has %d operations", len(all))
	}
	guest := userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`))
	cookie := s.cookie
	s.cookie = nil
	userIn(t, s.ask("POST", "/api/v1/users", `{"username":"lin","password":"correct horse"}`))
	members := s.cookie
	evil := func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
	for _, o := range all {
		t.Run(o.OperationID, func(t *testing.T) {
			s.cookie = nil
			w := s.send(o)
			if nobody := w.Code == http.StatusUnauthorized; nobody == o.open() {
				t.Errorf("without credentials: got %d %s; open to anybody: %v", w.Code, w.Body, o.open())
			}
			wantDocumented(t, o, w, "without credentials")

			w = s.send(o, func(r *http.Request) { r.Header.Set("Authorization", "Bearer g.AAAA.AAAA") })
			wantRefused(t, w, http.StatusUnauthorized, chat.CodeUnauthorized)

			s.cookie = cookie
			w = s.send(o, evil)
			switch {
			case o.method != "GET":
				wantRefused(t, w, http.StatusForbidden, chat.CodeForbidden)
			case !o.open():
				wantRefused(t, w, http.StatusUnauthorized, chat.CodeUnauthorized)
			case strings.Contains(w.Body.String(), string(guest.ID)):
				t.Errorf("a page of another site reads %s", w.Body)
			}

			if o.takes("application/json") {
				for _, kind := range []string{"application/x-www-form-urlencoded", ""} { // what a page of another site can send
					s.cookie = members
					w = s.send(o, func(r *http.Request) { r.Header.Set("Content-Type", kind) })
					if w.Code != http.StatusNotFound { // administrators' only
						wantRefused(t, w, http.StatusBadRequest, chat.CodeInvalid)
					}
					if strings.Contains(w.Body.String(), "body") {
						t.Errorf("of the type %q the body was read: %s", kind, w.Body)
					}
				}
				s.cookie = members
				deep := strings.Repeat(`[`, 33) + strings.Repeat(`]`, 33)
				w = s.ask(o.method, o.url(), `{"x":`+deep+`}`)
				if w.Code != http.StatusNotFound {
					wantRefused(t, w, http.StatusBadRequest, chat.CodeInvalid)
				}
			}

			s.cookie = cookie
			w = s.send(o)
			if w.Code == http.StatusUnauthorized || w.Code >= 500 {
				t.Errorf("as a guest: got %d %s", w.Code, w.Body)
			}
			wantDocumented(t, o, w, "as a guest")
		})
	}
}

func TestTheDocumentIsWhole(t *testing.T) {
	s, _ := newHouse(t, nil)
	doc, all := readDocument(t, s)
	if doc["openapi"] != "3.1.0" {
		t.Errorf("openapi is %v", doc["openapi"])
	}
	seen := map[string]bool{}
	for _, o := range all {
		if o.OperationID == "" || seen[o.OperationID] || o.Summary == "" || len(o.Tags) != 1 {
			t.Errorf("%s %s: id %q, summary %q, tags %q", o.method, o.path, o.OperationID, o.Summary, o.Tags)
		}
		seen[o.OperationID] = true
		for _, name := range regexp.MustCompile(`\{([^}]+)\}`).FindAllStringSubmatch(o.path, -1) {
			if !slices.ContainsFunc(o.Parameters, func(p struct {
				Name, In string
				Required bool
				Schema   map[string]any
			}) bool {
				return p.Name == name[1] && p.In == "path" && p.Required && p.Schema["type"] != nil
			}) {
				t.Errorf("%s: its parameter %s is not declared", o.OperationID, name[1])
			}
		}
		good := false
		for status, r := range o.Responses {
			if _, err := strconv.Atoi(status); err != nil || r.Description == "" {
				t.Errorf("%s: response %s %q", o.OperationID, status, r.Description)
			}
			good = good || status[0] == '2'
		}
		if !good {
			t.Errorf("%s can only be refused", o.OperationID)
		}
	}
	refs := map[string]bool{}
	collectRefs(doc, refs)
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	for ref := range refs {
		if _, ok := schemas[strings.TrimPrefix(ref, "#/components/schemas/")]; !ok {
			t.Errorf("%s leads nowhere", ref)
		}
	}
	for name := range schemas {
		if !refs["#/components/schemas/"+name] {
			t.Errorf("nothing refers to %s", name)
		}
	}
}

func collectRefs(node any, refs map[string]bool) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if text, ok := value.(string); ok && key == "$ref" {
				refs[text] = true
			}
			collectRefs(value, refs)
		}
	case []any:
		for _, value := range node {
			collectRefs(value, refs)
		}
	}
}

func TestTheDocumentsArePublished(t *testing.T) {
	s := newSite(t, func(c *rest.Config) {
		c.AsyncAPI, c.Types = []byte(`{"asyncapi":"3.0.0"}`), []byte("export type A = 1;")
	})
	for path, want := range map[string]string{
		"/openapi.json": `"openapi":"3.1.0"`, "/openapi.yaml": "openapi: 3.1.0", "/asyncapi.json": "asyncapi", "/client.d.ts": "export",
	} {
		w := s.ask("GET", path, "")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %.100s", path, w.Code, w.Body)
		}
		again := s.ask("GET", path, "", func(r *http.Request) { r.Header.Set("If-None-Match", w.Header().Get("ETag")) })
		if again.Code != http.StatusNotModified {
			t.Errorf("%s again: got %d", path, again.Code)
		}
	}
}

func TestRequestsAreCountedByUser(t *testing.T) {
	s, _ := newHouse(t, func(c *rest.Config) { c.RequestsPerSecond = 0.01 })
	userIn(t, s.ask("POST", "/api/v1/session", `{"nickName":"小明"}`)) // the one request of the address
	if w := s.ask("GET", "/api/v1/session", ""); w.Code != http.StatusOK {
		t.Fatalf("a user shares the allowance of its address: got %d %s", w.Code, w.Body)
	}
	w := s.ask("GET", "/api/v1/session", "")
	wantRefused(t, w, http.StatusTooManyRequests, chat.CodeRateLimited)
	if w.Header().Get("Retry-After") == "" {
		t.Errorf("got %v", w.Header())
	}
}

// What is refused must not be repeated: it may be a password in the wrong field.
func TestRefusalsRepeatNoValue(t *testing.T) {
	s, _ := newHouse(t, nil)
	for _, body := range []string{`{"nickName":["hunter2"]}`, `{"nickName":{"hunter2":1}}`, `"hunter2"`, `{"nickName":hunter2}`} {
		w := s.ask("POST", "/api/v1/session", body)
		wantRefused(t, w, http.StatusBadRequest, chat.CodeInvalid)
		if strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("%s: got %s", body, w.Body)
		}
	}
}
