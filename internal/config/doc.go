// Package config holds what the server can be told, what follows from it, and whether it makes sense.
//
// Serve is the list of settings, as flags, environment variables and keys of a file. From it come the addresses to listen
// on (Serve.Addresses), who can reach them (Exposure) and which Host names and Origins a request may carry (Access).
// Nothing here opens a socket or reads the environment: the machine's addresses come in.
package config
