/* config.c: see config.h. */
#include "collect/agent/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/agent/heap.h"
#include "collect/agent/host.h"

#define MOST_HEAP_PERIOD (1L << 40)

enum { DEFAULT_PORT = 2121, OUT_SECONDS = 60, MOST_OUT_SECONDS = 86400, MOST_STEPS = 50 };

static const char *
variable(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : NULL;
}

/* A whole number from 0 to `most`; false if it is none. */
static bool
number(const char *text, long most, long *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtol(text, &end, 10);
	return !errno && !*end && *value <= most;
}

/* The port asked for: PROFUSE_PORT, else METRICS_PORT, else 2121. 0: off. */
static long
port_from_environment(bool *any)
{
	const char *name = "PROFUSE_PORT", *text = variable(name);
	long port = DEFAULT_PORT;

	*any = text && !strcmp(text, "auto");
	if (*any)
		return 0;
	if (!text)
		text = variable(name = "METRICS_PORT");
	if (!text || number(text, 65535, &port))
		return port;
	pf_host_say("%s=%s is no port number; not listening", name, text);
	return 0;
}

/* Splits "host:port", "host", ":port", "[v6]:port" into host and port text ("" if missing). */
static bool
split(const char *text, char *host, size_t host_size, const char **port)
{
	const char *colon = strrchr(text, ':'), *end;
	size_t skip = 0;

	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		colon = end[1] ? end + 1 : NULL;
		skip = 1;
	} else {
		end = colon ? colon : text + strlen(text);
	}
	*port = colon ? colon + 1 : "";
	return (size_t)snprintf(host, host_size, "%.*s", (int)(end - text - (long)skip),
		   text + skip) < host_size;
}

static bool
set_address(struct pf_config *config, const char *host, uint16_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&config->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&config->address;

	if (!*host || !strcmp(host, "localhost"))
		host = "127.0.0.1";
	memset(&config->address, 0, sizeof config->address);
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		config->address_size = sizeof *v4;
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	config->address_size = sizeof *v6;
	return true;
}

static bool
is_loopback(const struct pf_config *config)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&config->address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&config->address;

	if (config->address.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* Where to listen, into config->address; false: nowhere. */
static bool
read_address(struct pf_config *config)
{
	const char *text = variable("PROFUSE_ADDR"), *port_text = "";
	char host[64] = "";
	long port;

	if (text && !split(text, host, sizeof host, &port_text)) {
		pf_host_say(
		    "PROFUSE_ADDR=%s is not HOST:PORT with a numeric address; not listening", text);
		return false;
	}
	if (!*port_text)
		port = port_from_environment(&config->any_port);
	else if (!strcmp(port_text, "auto"))
		port = 0, config->any_port = true;
	else if (!number(port_text, 65535, &port)) {
		pf_host_say(
		    "PROFUSE_ADDR=%s has no port number from 1 to 65535; not listening", text);
		return false;
	}
	if (port == 0 && !config->any_port)
		return false;
	if (set_address(config, host, (uint16_t)port))
		return true;
	pf_host_say(
	    "PROFUSE_ADDR=%s: write the address in numbers (127.0.0.1:2121); not listening", text);
	return false;
}

/* The token's file: the first line, without its newline. False if it was asked for and is no good. */
static bool
read_token(struct pf_config *config)
{
	const char *path = variable("PROFUSE_TOKEN_FILE");

	if (!path)
		return true;
	if (pf_host_read_file(path, config->token, sizeof config->token) < 0) {
		pf_host_say("PROFUSE_TOKEN_FILE %s: %s; not listening", path, strerror(errno));
		return false;
	}
	config->token[strcspn(config->token, "\r\n")] = '\0';
	if (*config->token && strlen(config->token) < sizeof config->token - 1)
		return true;
	pf_host_say("PROFUSE_TOKEN_FILE %s must hold a token of 1 to %d bytes; not listening", path,
	    PF_TOKEN_MAX - 2);
	return false;
}

static void
read_folder(const char *name, char *to, size_t size)
{
	const char *text = variable(name);
	struct stat st;

	if (!text)
		return;
	if ((size_t)snprintf(to, size, "%s", text) >= size) {
		pf_host_say("%s is too long; ignored", name);
		*to = '\0';
		return;
	}
	/* Said and not given up: the folder may yet be made, and only this moment has a reader. */
	if (stat(text, &st) || !S_ISDIR(st.st_mode))
		pf_host_say("%s=%s is no folder: nothing can be written there", name, text);
	else if (access(text, W_OK | X_OK))
		pf_host_say("%s=%s: %s: nothing can be written there", name, text, strerror(errno));
}

static void
read_event(struct pf_config *config)
{
	const char *text = variable("PROFUSE_EVENT");

	long rate;

	config->event.kind = PF_EVENT_CPU;
	if (text && !pf_event_named(&config->event.kind, text))
		pf_host_say(
		    "PROFUSE_EVENT=%s is none of cpu, task-clock, cycles, instructions; using cpu",
		    text);
	text = variable("PROFUSE_RATE");
	if (text && number(text, PF_EVENT_MOST_RATE, &rate) && rate > 0)
		config->event.rate = (int)rate;
	else if (text)
		pf_host_say("PROFUSE_RATE=%s is no number from 1 to %d; using %d", text,
		    PF_EVENT_MOST_RATE, PF_EVENT_RATE);
}

/* "off", or the share of CPU time that may go into single steps. */
static void
read_steps(struct pf_config *config)
{
	const char *text = variable("PROFUSE_STEPS");
	long percent = 0;

	if (!text || !strcmp(text, "off"))
		return;
	if (number(text, MOST_STEPS, &percent))
		config->event.steps = (int)percent;
	else
		pf_host_say(
		    "PROFUSE_STEPS=%s is neither off nor a percentage of CPU time from 1 to "
		    "%d; taking none",
		    text, MOST_STEPS);
}

/* "off", or bytes between samples. */
static void
read_heap(struct pf_config *config)
{
	const char *text = variable("PROFUSE_HEAP");
	long bytes;

	config->heap_period = PF_HEAP_PERIOD;
	if (!text || !strcmp(text, "on"))
		return;
	if (!strcmp(text, "off") || !strcmp(text, "0"))
		config->heap_period = 0;
	else if (number(text, MOST_HEAP_PERIOD, &bytes))
		config->heap_period = (uint64_t)bytes;
	else
		pf_host_say("PROFUSE_HEAP=%s is neither off nor a number of bytes from 1 to %ld; "
			    "using %d",
		    text, MOST_HEAP_PERIOD, PF_HEAP_PERIOD);
}

static void
read_waits(struct pf_config *config)
{
	const char *text = variable("PROFUSE_WAITS");

	config->waits = !text || (strcmp(text, "off") && strcmp(text, "0"));
	if (text && config->waits && strcmp(text, "on"))
		pf_host_say("PROFUSE_WAITS=%s is neither on nor off; using on", text);
}

void
pf_config_read(struct pf_config *config)
{
	const char *text = variable("PROFUSE_AGENT");
	long seconds;

	*config = (struct pf_config){.out_seconds = OUT_SECONDS};
	config->off = text && (!strcmp(text, "off") || !strcmp(text, "0"));
	if (config->off)
		return;
	read_event(config);
	read_steps(config);
	read_heap(config);
	read_waits(config);
	read_folder("PROFUSE_RUN_DIR", config->run_dir, sizeof config->run_dir);
	read_folder("PROFUSE_OUT", config->out_dir, sizeof config->out_dir);
	text = variable("PROFUSE_OUT_SECONDS");
	if (text && number(text, MOST_OUT_SECONDS, &seconds) && seconds > 0)
		config->out_seconds = (int)seconds;
	else if (text)
		pf_host_say("PROFUSE_OUT_SECONDS=%s is no number from 1 to %d; using %d", text,
		    MOST_OUT_SECONDS, OUT_SECONDS);
	config->listen = read_address(config) && read_token(config);
	if (config->listen && !is_loopback(config) && !*config->token) {
		pf_host_say("an address beyond loopback needs PROFUSE_TOKEN_FILE; not listening");
		config->listen = false;
	}
}
