package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mdp/qrterminal/v3"

	"qun/internal/auth"
	"qun/internal/config"
	"qun/internal/rest"
)

// reach is where the server can be found, as people type it.
type reach struct {
	here  string   // from this machine, "" if it does not listen there
	there []string // from other machines, the likeliest first
}

// reachOf are the URLs of what is listened on.
func reachOf(s *config.Serve, doors []door, interfaces []config.Interface) reach {
	var r reach
	scheme := "http"
	if s.TLS() {
		scheme = "https"
	}
	if s.PublicURL != "" {
		r.there = append(r.there, strings.TrimSuffix(s.PublicURL, "/"))
	}
	if len(s.ACMEDomain) > 0 { // the certificate is for no other name
		return r
	}
	for _, d := range doors {
		port := d.address.Port()
		switch ip := d.address.Addr().Unmap(); {
		case ip.IsUnspecified():
			r.here = urlOf(scheme, "localhost", port)
			r.there = append(r.there, privateURLs(scheme, interfaces, port)...)
		case ip.IsLoopback() && r.here == "":
			r.here = urlOf(scheme, loopbackName(s, ip), port)
		case !ip.IsLoopback():
			r.there = append(r.there, urlOf(scheme, ip.String(), port))
		}
	}
	return r
}

// loopbackName is localhost, unless one loopback address was asked for.
func loopbackName(s *config.Serve, ip netip.Addr) string {
	for _, listen := range s.Listen {
		if host, _, err := net.SplitHostPort(listen); err == nil && host == ip.String() {
			return host
		}
	}
	return "localhost"
}

func privateURLs(scheme string, interfaces []config.Interface, port uint16) (urls []string) {
	for _, i := range interfaces {
		for _, ip := range i.Addresses {
			if config.IsPrivate(ip) && ip.Unmap().Is4() {
				urls = append(urls, urlOf(scheme, ip.Unmap().String(), port))
			}
		}
	}
	return urls
}

func urlOf(scheme, host string, port uint16) string {
	if port == map[string]uint16{"http": 80, "https": 443}[scheme] {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(port)))
}

func (r reach) all() []string {
	if r.here == "" {
		return r.there
	}
	return append([]string{r.here}, r.there...)
}

// link is what an address begins with that is given to others.
func (r reach) link() string {
	if len(r.there) > 0 {
		return r.there[0]
	}
	return r.here
}

// announce prints where the server is, how a phone gets in, and where the data is.
func announce(out io.Writer, s *config.Serve, r reach, e config.Exposure, data string) {
	fmt.Fprintf(out, "Qun %s is running. Stop it with Ctrl+C.\n\n", version)
	if len(r.all()) > 0 {
		fmt.Fprintf(out, "  Open      %s\n", r.all()[0])
	}
	switch {
	case len(r.there) > 0:
		fmt.Fprintf(out, "  On a phone in the same network, or from another computer:\n")
		for _, url := range r.there {
			fmt.Fprintf(out, "            %s\n", url)
		}
	case e == config.Loopback:
		fmt.Fprintf(out, "  Phones    cannot get in: this machine only. Start with --lan to let the local network in.\n")
	}
	fmt.Fprintf(out, "  Data      %s\n", data)
	fmt.Fprintf(out, "  Guests    %s\n", guestsInWords[s.GuestsMay(e)])
	fmt.Fprintf(out, "  Accounts  %s\n\n", registrationInWords[s.MayRegister(e)])
	if s.LAN {
		fmt.Fprintf(out, "%s\n", r.there[0])
		printQR(out, r.there[0])
		if !s.TLS() {
			fmt.Fprintf(out, "Plain http can be read by others in the same network.\n\n")
		}
	}
}

var guestsInWords = map[string]string{
	"open": "may enter open groups and make new ones (--guests open)",
	"join": "may enter the open groups there are (--guests join)",
	"off":  "may not enter (--guests off)",
}

var registrationInWords = map[string]string{
	"open":   "anybody may make one (--registration open)",
	"invite": "who has an administrator's link, or an invite to a group, may make one (--registration invite)",
	"off":    "administrators make them (--registration off)",
}

// announceSetup prints, while nobody administers the server, the link with which somebody begins to.
func (s *server) announceSetup(ctx context.Context, out io.Writer, r reach) error {
	there, err := s.auth.HasAdmin(ctx)
	if err != nil || there {
		return err
	}
	code, _, err := s.auth.Setup(ctx)
	if err != nil {
		return err
	}
	base := r.here
	if base == "" {
		base = r.link()
	}
	fmt.Fprintf(out, "  Nobody administers this server yet. Who opens this first does (once, within a day):\n            %s\n\n",
		base+rest.CodePath(auth.TicketSetup, code))
	return nil
}

func printQR(out io.Writer, url string) {
	qrterminal.GenerateWithConfig(url, qrterminal.Config{
		Level: qrterminal.L, Writer: out, HalfBlocks: true, QuietZone: 2,
		BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
	})
}
