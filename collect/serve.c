/* serve.c: see serve.h. */
#include "serve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <microhttpd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "net/credentials.h"
#include "net/transfer.h"

enum { CONNECTIONS = 64, PAGE_MAX = 64 << 20, PEM_MAX = 1 << 20, IDLE_SECONDS = 15 };

struct pf_server {
	struct MHD_Daemon *daemon;
	struct pf_loop *loop;
	struct pf_watch watch;
	struct pf_timer timer;
	struct pf_server_options options;
	struct pf_credentials secret; /* the token, as a bearer */
	struct pf_buffer cert, key;
	unsigned port;
};

/* Takes the same time whatever the guess was. */
static bool
same_secret(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned char different = n != m;

	for (size_t i = 0; i < n; i++)
		different |= (unsigned char)(a[i] ^ b[m ? i % m : 0]);
	return !different;
}

static bool
may_enter(const struct pf_server *s, struct MHD_Connection *connection)
{
	const char *given =
	    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");

	if (!s->secret.bearer)
		return true;
	return given && strncmp(given, "Bearer ", 7) == 0 &&
	       same_secret(given + 7, s->secret.bearer);
}

static enum MHD_Result
send_page(struct MHD_Connection *connection, struct pf_page *page)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (page->body.failed || !page->body.size) {
		pf_buffer_release(&page->body);
		page->status = page->body.failed ? 500 : page->status;
		pf_buffer_string(&page->body, "\n");
	}
	response = MHD_create_response_from_buffer(
	    page->body.size, page->body.bytes, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", page->type);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (page->status == 401)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	result = MHD_queue_response(connection, page->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **state)
{
	static char seen;
	struct pf_server *s = context;
	struct pf_page page = {.status = 200, .type = "text/plain; charset=utf-8"};
	enum MHD_Result result;

	(void)version;
	(void)upload;
	if (!*state) { /* the head is there; the answer comes with the next call */
		*state = &seen;
		return MHD_YES;
	}
	*upload_size = 0;
	pf_buffer_init(&page.body, PAGE_MAX);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		page.status = 405;
		pf_buffer_string(&page.body, "only GET\n");
	} else if (!may_enter(s, connection)) {
		page.status = 401;
		pf_buffer_string(&page.body, "this wants the collector's token\n");
	} else {
		s->options.page(s->options.data, url, &page);
	}
	result = send_page(connection, &page);
	pf_buffer_release(&page.body);
	return result;
}

static void
run(struct pf_server *s)
{
	MHD_UNSIGNED_LONG_LONG milliseconds;

	MHD_run(s->daemon);
	if (MHD_get_timeout(s->daemon, &milliseconds) == MHD_YES)
		pf_timer_set(s->loop, &s->timer, pf_net_now() + (double)milliseconds * 1e-3, NULL);
}

static void
on_ready(struct pf_watch *watch)
{
	run(PF_CONTAINER(watch, struct pf_server, watch));
}

static void
on_timer(struct pf_timer *timer, double now)
{
	(void)now;
	run(PF_CONTAINER(timer, struct pf_server, timer));
}

/* "HOST:PORT" in its parts; the host of an IPv6 address is in brackets. */
static bool
split(const char *listen, char *host, size_t room, char *port, size_t port_room)
{
	const char *colon = strrchr(listen, ':');
	size_t size = colon ? (size_t)(colon - listen) : 0;

	if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strlen(colon + 1) >= port_room)
		return false;
	if (size > 2 && listen[0] == '[' && listen[size - 1] == ']') {
		listen++;
		size -= 2;
	} else if (memchr(listen, ':', size)) {
		return false;
	}
	if (size >= room)
		return false;
	memcpy(host, listen, size);
	host[size] = '\0';
	if (!size)
		snprintf(host, room, "127.0.0.1");
	snprintf(port, port_room, "%s", colon + 1);
	return true;
}

static bool
is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(
			   ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >>
			   24 ==
		       127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(
		   &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static int
read_pem(struct pf_buffer *to, const char *path, struct pf_error *err)
{
	int rc;

	pf_buffer_init(to, PEM_MAX);
	rc = pf_file_read(path, to, err);
	if (!rc)
		pf_buffer_byte(to, 0);
	return rc ? rc : pf_buffer_check(to, err);
}

static int
load_secrets(struct pf_server *s, struct pf_error *err)
{
	struct pf_credential_sources sources = {.bearer_token_file = s->options.token_file};
	const struct pf_tls_settings *tls = s->options.tls;
	int rc = s->options.token_file ? pf_credentials_load(&s->secret, &sources, err) : 0;

	if (!rc && tls && tls->cert_file)
		rc = read_pem(&s->cert, tls->cert_file, err);
	if (!rc && tls && tls->key_file)
		rc = read_pem(&s->key, tls->key_file, err);
	return rc;
}

static int
start_daemon(struct pf_server *s, const struct sockaddr *address, struct pf_error *err)
{
	unsigned flags = MHD_USE_EPOLL;
	struct MHD_OptionItem tls[] = {
	    {MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert.bytes},
	    {MHD_OPTION_HTTPS_MEM_KEY, 0, s->key.bytes},
	    {MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	flags |= address->sa_family == AF_INET6 ? MHD_USE_IPv6 : 0;
	flags |= s->cert.size ? MHD_USE_TLS : 0;
	errno = 0;
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR,
	    address, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_ARRAY,
	    s->cert.size ? tls : none, MHD_OPTION_END);
	if (s->daemon)
		return 0;
	return pf_error_set(err, PF_EIO,
	    "cannot listen on %s: %s; another collector may run here: --listen HOST:PORT names "
	    "another address, --listen none does without",
	    s->options.listen, errno ? strerror(errno) : "libmicrohttpd refuses");
}

static int
attach(struct pf_server *s, struct pf_error *err)
{
	const union MHD_DaemonInfo *epoll =
	    MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	const union MHD_DaemonInfo *port =
	    MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);

	if (!epoll || !port)
		return pf_error_set(err, PF_EIO, "libmicrohttpd has no epoll descriptor");
	s->port = port->port;
	s->watch = (struct pf_watch){.fd = epoll->epoll_fd, .ready = on_ready};
	s->timer.fire = on_timer;
	return pf_watch_add(s->loop, &s->watch, err);
}

static int
start(struct pf_server *s, struct pf_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	char host[256], port[8];
	int rc;

	if (!split(s->options.listen, host, sizeof host, port, sizeof port))
		return pf_error_set(err, PF_EUSAGE,
		    "listen: %s: expected HOST:PORT, such as 127.0.0.1:2122", s->options.listen);
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc)
		return pf_error_set(
		    err, PF_EUSAGE, "listen: %s: %s", s->options.listen, gai_strerror(rc));
	if (!is_loopback(found->ai_addr) && !s->options.token_file)
		rc = pf_error_set(err, PF_EUSAGE,
		    "listen: %s is reachable from other machines, and what is served there tells "
		    "about the fleet; give listen_token_file, or listen on 127.0.0.1",
		    s->options.listen);
	if (!rc)
		rc = load_secrets(s, err);
	if (!rc)
		rc = start_daemon(s, found->ai_addr, err);
	freeaddrinfo(found);
	return rc ? rc : attach(s, err);
}

int
pf_server_start(struct pf_server **server, struct pf_loop *loop,
    const struct pf_server_options *options, struct pf_error *err)
{
	int rc = PF_CALLOC(*server, 1, err);

	if (rc)
		return rc;
	(*server)->loop = loop;
	(*server)->options = *options;
	rc = start(*server, err);
	if (rc) {
		pf_server_stop(*server);
		*server = NULL;
	}
	return rc;
}

void
pf_server_stop(struct pf_server *s)
{
	if (!s)
		return;
	if (s->watch.ready)
		pf_watch_remove(s->loop, &s->watch);
	pf_timer_cancel(s->loop, &s->timer);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	pf_credentials_release(&s->secret);
	pf_buffer_release(&s->cert);
	if (s->key.bytes)
		explicit_bzero(s->key.bytes, s->key.size);
	pf_buffer_release(&s->key);
	free(s);
}

unsigned
pf_server_port(const struct pf_server *s)
{
	return s->port;
}
