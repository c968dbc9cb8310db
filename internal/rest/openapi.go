package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"qun/internal/auth"
	"qun/internal/chat"
)

var (
	timeType    = reflect.TypeFor[chat.Time]()
	stdTimeType = reflect.TypeFor[time.Time]()
)

// document is the head of the OpenAPI document.
func document(version string, schemas huma.Registry) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title:   "Qun",
			Version: version,
			Description: "The chat over HTTP, for what a browser or a script wants without a socket. Live messages come over Socket.IO.\n\n" +
				"Every refusal is `{error: {code, message, …}}`; the codes are those of the socket. Whatever changes something needs " +
				"a bearer token or one of the server's own pages.",
		},
		Servers: []*huma.Server{{URL: "/"}},
		Components: &huma.Components{
			Schemas: schemas,
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", Description: "The token of a guest, a member's device or a bot."},
				"cookie": {Type: "apiKey", In: "cookie", Name: auth.Cookie("", false).Name,
					Description: "For the server's own pages alone. Over TLS its name is " + auth.Cookie("", true).Name + "."},
			},
		},
	}
}

func security(w who) []map[string][]string {
	known := []map[string][]string{{"token": {}}, {"cookie": {}}}
	if w == anybody {
		return append(known, map[string][]string{})
	}
	return known
}

// schemaName names types by their own names, whatever their package: they are nouns of the chat.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	return strings.ToUpper(name[:1]) + name[1:]
}

// completeDocument adds what the types do not say: every refusal an operation may answer, and that our lists are never null.
func (s *server) completeDocument() {
	schemas := s.api.OpenAPI().Components.Schemas
	shape := schemas.Schema(reflect.TypeFor[failure](), true, "Failure")
	for _, op := range operations(s.api.OpenAPI()) {
		delete(op.Responses, "default") // the library's own error
		for _, code := range codesOf(op) {
			addRefusal(op, code, shape)
		}
	}
	for _, library := range []string{"ErrorModel", "ErrorDetail"} { // nobody is ever answered so
		delete(schemas.Map(), library)
	}
	schemas.Map()["Refusal"].Properties["code"].Enum = codeNames()
	for _, schema := range schemas.Map() {
		for _, property := range schema.Properties {
			if property.Type == huma.TypeArray {
				property.Nullable = false
			}
		}
	}
}

func operations(doc *huma.OpenAPI) (all []*huma.Operation) {
	for _, path := range doc.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op != nil {
				all = append(all, op)
			}
		}
	}
	return all
}

// codesOf are the refusals of an operation: those of its route, and those that follow from its form.
func codesOf(op *huma.Operation) []chat.Code {
	route := op.Metadata[routeKey].(*route)
	codes := []chat.Code{chat.CodeUnauthorized, chat.CodeRateLimited, chat.CodeInternal, chat.CodeBusy}
	if changes(op.Method) || route.Who != anybody { // a bot's token may not allow it
		codes = append(codes, chat.CodeForbidden)
	}
	if route.Who == administrators { // what others are answered
		codes = append(codes, chat.CodeNotFound)
	}
	if len(op.Parameters) > 0 {
		codes = append(codes, chat.CodeInvalid)
	}
	if op.RequestBody != nil {
		codes = append(codes, chat.CodeInvalid, chat.CodeTooLarge)
	}
	return append(codes, route.Refuses...)
}

// addRefusal documents a code under its status, beside others of the same status.
func addRefusal(op *huma.Operation, code chat.Code, shape *huma.Schema) {
	status := statusText(statuses[code])
	response := op.Responses[status]
	if response == nil {
		response = &huma.Response{Content: map[string]*huma.MediaType{"application/json": {Schema: shape}}}
		op.Responses[status] = response
	}
	if codes := strings.Split(response.Description, ", "); !slices.Contains(codes, string(code)) {
		response.Description = strings.TrimPrefix(response.Description+", "+string(code), ", ")
	}
}

func codeNames() []any {
	var names []any
	for _, code := range slices.Sorted(maps.Keys(statuses)) {
		names = append(names, string(code))
	}
	return names
}

// serveDocument publishes what can be asked, over HTTP and over sockets.
func (s *server) serveDocument(mux *http.ServeMux) {
	inJSON, err := json.Marshal(s.api.OpenAPI())
	inYAML, err2 := s.api.OpenAPI().YAML()
	if err := errors.Join(err, err2); err != nil {
		panic(err) // it is made of the program's own types
	}
	mux.HandleFunc("GET /openapi.json", published("application/json", inJSON))
	mux.HandleFunc("GET /openapi.yaml", published("application/yaml", inYAML))
	if s.AsyncAPI != nil {
		mux.HandleFunc("GET /asyncapi.json", published("application/json", s.AsyncAPI))
	}
	if s.Types != nil {
		mux.HandleFunc("GET /client.d.ts", published("text/plain; charset=utf-8", s.Types))
	}
}

// published serves a text that stays the same while the server runs.
func published(kind string, text []byte) http.HandlerFunc {
	sum := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", revalidate)
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	}
}
