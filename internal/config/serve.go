package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Serve is what `qun serve` can be told. The tags are the flags' names and help; the same names are the keys of the
// configuration file and, in capitals after QUN_, the environment variables.
type Serve struct {
	Listen    []string `placeholder:"HOST:PORT" help:"Address to listen on; more than once if you like, separated by commas in a variable. :3000 is every address of this machine. Default: localhost:3000, on both loopback families."`
	LAN       bool     `name:"lan" help:"Let the phones and computers of the local network in: port 3000 on this machine's private addresses, and nobody who calls it by another name. Prints each address, and a QR code. Excludes --listen."`
	PublicURL string   `name:"public-url" placeholder:"URL" help:"The address people use when it is not the one listened on, for example https://chat.example.org behind a proxy."`
	Storage
	Redis     string   `placeholder:"URL" help:"Let the servers that share a PostgreSQL database tell each other through this Redis, redis://user:password@host:port, instead of through the database; and Node servers, see below. It keeps nothing. Better said by the variable or the file, as the database."`
	RedisNode bool     `name:"redis-node" help:"Tell Node servers on that Redis (@socket.io/redis-adapter, classic) what is said and changed in groups, in the rooms g/ID and f/ID of each: they give it to their own clients. Whoever can read there can read it."`
	RedisOpen []string `name:"redis-open" placeholder:"ROOM" help:"Let Node servers and emitters on that Redis (@socket.io/redis-emitter) send events to the people in this room, for example g/ID; * means everybody here. Nothing of it is kept. More than once if you like."`
	Secure

	Origin       []string `placeholder:"ORIGIN" help:"Web pages of this origin may connect too, for example https://www.example.org; * means all. They never use the cookie. More than once if you like."`
	TrustedProxy []string `name:"trusted-proxy" placeholder:"ADDRESS" help:"Address or network of a reverse proxy whose X-Forwarded-For and X-Forwarded-Proto are believed."`
	Guests       string   `enum:"auto,open,join,off" default:"auto" help:"What people without an account may do: open (make and enter open groups), join (enter existing ones), off. auto is open, or join once the server has a public address."`
	Registration string   `enum:"auto,open,invite,off" default:"auto" help:"Who may make an account: open (everybody), invite (who has a link of an administrator, or was invited to a group), off (administrators make them). auto is open, or invite once the server has a public address. Nobody becomes an administrator by registering."`

	Name         string        `placeholder:"NAME" help:"What the server is called, on its first page. Default: its address."`
	Retention    int           `default:"0" placeholder:"DAYS" help:"How many days messages are kept; then they are erased, with their files. A group may keep its own for less. 0 keeps them for ever."`
	EditWithin   time.Duration `default:"24h" placeholder:"TIME" help:"How long people may edit a message of theirs, for example 30m. 0 lifts the limit."`
	RecallWithin time.Duration `default:"2m" placeholder:"TIME" help:"How long people may recall a message of theirs; a group's owner and admins always may. 0 lifts the limit."`

	LimitMessages   float64 `default:"2" placeholder:"N" help:"Messages per second that one user may send, five times as many in a burst. 0 lifts the limit."`
	LimitHandshakes float64 `default:"20" placeholder:"N" help:"New connections per second from one address (IPv6: one /64). Members are exempt. 0 lifts the limit."`
	LimitSockets    int     `default:"100" placeholder:"N" help:"Open connections from one address (members are exempt), and at most 10 of them per user. 0 lifts both."`
	LimitUpload     float64 `default:"20" placeholder:"MB" help:"Size of one uploaded file. 0 lifts the limit."`
	LimitUserFiles  float64 `default:"1000" placeholder:"MB" help:"What the files of one member may take; a tenth of it for a guest. 0 lifts the limit."`
	LimitFiles      float64 `default:"20000" placeholder:"MB" help:"What all files may take. 0 lifts the limit."`
	LimitPixels     float64 `default:"40" placeholder:"MP" help:"Megapixels of a picture; a larger one is refused before it is decoded. 0 lifts the limit, and pictures beyond 40 have no small one then."`
	LimitRequests   float64 `default:"20" placeholder:"N" help:"HTTP requests per second that one user may make (who is nobody: one address), five times as many in a burst. 0 lifts the limit."`

	Outside

	// Given says of each flag that was not left to its default where it was given: a flag, a variable or a file, by its name.
	Given map[string]string `kong:"-"`

	Metrics  string `enum:"local,all,off" default:"local" help:"Who may read /metrics: local (this machine, not through a proxy), all, off."`
	Debug    string `placeholder:"HOST:PORT" help:"Answer here too, to this machine alone, with /metrics and the profiles of Go under /debug/pprof/: a loopback address, for example localhost:6060."`
	Log      string `enum:"text,json" default:"text" help:"How the log is written: text (for people), json (for programs)."`
	LogLevel string `enum:"debug,info,warn,error" default:"info" help:"What is logged: debug (all, what peers do wrong too), info, warn, error."`
}

// Port is where the server listens unless told otherwise.
const Port = "3000"

// SocketsPerUser is how many connections one user may have; the next one closes the longest unheard.
const SocketsPerUser = 10

// Check says what is wrong with the settings, in one line that names the setting and what would be right.
func (s *Serve) Check() error {
	for _, address := range s.Listen {
		if err := checkAddress("--listen", address); err != nil {
			return err
		}
	}
	if err := s.checkDebug(); err != nil {
		return err
	}
	if s.LAN && len(s.Listen) > 0 {
		return fmt.Errorf("--lan and --listen exclude each other: --lan chooses the addresses itself")
	}
	if s.PublicURL != "" {
		if _, err := parsePublicURL(s.PublicURL); err != nil {
			return err
		}
	}
	if err := s.checkSecure(); err != nil {
		return err
	}
	for _, origin := range s.Origin {
		if err := checkOrigin(origin); err != nil {
			return err
		}
	}
	if _, err := s.Proxies(); err != nil {
		return err
	}
	if _, err := s.Networks(); err != nil {
		return err
	}
	if _, err := s.PreviewNetworks(); err != nil {
		return err
	}
	if err := s.checkContact(); err != nil {
		return err
	}
	if err := s.Storage.Check(); err != nil {
		return err
	}
	if err := s.checkRedis(); err != nil {
		return err
	}
	if len([]rune(s.Name)) > maxName || strings.ContainsFunc(s.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("--name: at most %d letters on one line are possible", maxName)
	}
	if s.Retention < 0 || s.Retention > maxRetention {
		return fmt.Errorf("--retention %d: days from 1 to %d are needed, or 0 to keep messages for ever", s.Retention, maxRetention)
	}
	for name, within := range map[string]time.Duration{"edit": s.EditWithin, "recall": s.RecallWithin} {
		if within < 0 {
			return fmt.Errorf("--%s-within %s: a time such as 2m is needed, or 0 for no limit", name, within)
		}
	}
	return s.checkLimits()
}

// maxName bounds the server's name, in letters.
const maxName = 60

// maxRetention is a hundred years, in days.
const maxRetention = 36500

func (s *Serve) checkLimits() error {
	for name, limit := range map[string]float64{
		"messages": s.LimitMessages, "handshakes": s.LimitHandshakes, "sockets": float64(s.LimitSockets),
		"requests": s.LimitRequests, "upload": s.LimitUpload, "user-files": s.LimitUserFiles, "files": s.LimitFiles,
		"pixels": s.LimitPixels,
	} {
		if !(limit >= 0 && limit <= 1e9) { // written so that NaN is refused too
			return fmt.Errorf("--limit-%s %v: a number from 0 (no limit) to 1000000000 is needed", name, limit)
		}
	}
	return nil
}

// Proxies are the networks whose forwarding headers are believed.
func (s *Serve) Proxies() ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, text := range s.TrustedProxy {
		proxy, err := parseNetwork(text)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy %s: an address or a network such as 10.0.0.0/8 is needed", text)
		}
		proxies = append(proxies, proxy)
	}
	return proxies, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// checkDebug wants an address that nobody else can reach: profiles show what is in memory.
func (s *Serve) checkDebug() error {
	if s.Debug == "" {
		return nil
	}
	if err := checkAddress("--debug", s.Debug); err != nil {
		return err
	}
	if host, _, err := net.SplitHostPort(s.Debug); err != nil || !isLoopbackHost(host) {
		return fmt.Errorf("--debug %s: only this machine may look into the server: use localhost and a port, for example localhost:6060", s.Debug)
	}
	return nil
}

func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s %s: an address with a port is needed, for example localhost:%s or :%s", flag, address, Port, Port)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s %s: the port must be a number from 1 to 65535 (0 takes a free one), got %q", flag, address, port)
	} else if n == 0 && port != "0" {
		return fmt.Errorf("%s %s: the port must be a number from 1 to 65535", flag, address)
	}
	return nil
}

// parsePublicURL accepts an http or https URL without path, query or user.
func parsePublicURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, fmt.Errorf("--public-url %s: a whole URL is needed, for example https://chat.example.org", text)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("--public-url %s: only scheme, host and port are possible, for example https://chat.example.org", text)
	}
	return u, nil
}

func checkOrigin(origin string) error {
	if origin == "*" || origin == "null" {
		return nil
	}
	if _, err := canonicalOrigin(origin); err != nil {
		return fmt.Errorf("--origin %s: scheme, host and port are needed and nothing else, for example https://www.example.org, or *", origin)
	}
	return nil
}

// checkRedis never repeats the address: it may hold a password.
func (s *Serve) checkRedis() error {
	switch bridged := s.RedisNode || len(s.RedisOpen) > 0; {
	case s.Redis == "" && bridged:
		return fmt.Errorf("--redis-node and --redis-open: name the Redis of the Node servers with --redis")
	case s.Redis == "":
		return nil
	case !strings.HasPrefix(s.Redis, "redis://") && !strings.HasPrefix(s.Redis, "rediss://"):
		return fmt.Errorf("--redis: an address of Redis is needed, for example redis://localhost:6379, or rediss://… over TLS")
	case slices.Contains(s.RedisOpen, ""):
		return fmt.Errorf("--redis-open: name a room, for example g/0192f3c4-…, or * for everybody")
	case s.Database == "" && !bridged:
		return fmt.Errorf("--redis: servers that tell each other something share a PostgreSQL database: name it with --database; for Node servers alone say --redis-node or --redis-open")
	}
	return nil
}
