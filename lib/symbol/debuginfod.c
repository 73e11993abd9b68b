/*
 * debuginfod.c: see debuginfod.h.
 *
 * libdebuginfod is loaded when it is needed, and only then: few machines that
 * convert profiles have a server, and it brings an HTTP client of its own. Its
 * interface: elfutils, debuginfod/debuginfod.h.
 */
#include "symbol/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary_private.h"

struct client;

struct library {
	struct client *(*begin)(void);
	int (*find)(struct client *, const unsigned char *id, int size, char **path);
	void (*end)(struct client *);
};

static void *handle;

/* A function of the library; C knows no way from an object's address to a function's but its bytes. */
static void
load_symbol(const char *name, void *function)
{
	void *found = dlsym(handle, name);

	memcpy(function, &found, sizeof found);
}

/* Loaded once and never unloaded: it starts threads. */
static bool
load_library(struct library *l)
{
	*l = (struct library){0};
	if (!handle)
		handle = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return false;
	load_symbol("debuginfod_begin", &l->begin);
	load_symbol("debuginfod_find_debuginfo", &l->find);
	load_symbol("debuginfod_end", &l->end);
	return l->begin && l->find && l->end;
}

static int
ask(const struct pf_binary *binary, const struct library *library, const char *what,
    const char *build_id, char **path, struct pf_error *err)
{
	struct client *client = library->begin();
	char *found = NULL;
	int fd, rc = 0;

	if (!client)
		return pf_error_nomem(err);
	/* Size 0: the id is hexadecimal text. */
	fd = library->find(client, (const unsigned char *)build_id, 0, &found);
	if (fd >= 0) {
		close(fd);
		rc = pf_copy_string(path, found, err);
		pf_binary_note(
		    binary, "debuginfod: %s has the debug information of %s", found, what);
	} else {
		pf_binary_note(binary, "debuginfod: no debug information of %s: %s", what,
		    strerror(fd == -1 ? EIO : -fd));
	}
	free(found);
	library->end(client);
	return rc;
}

int
pf_debuginfod_find(const struct pf_binary *binary, const char *what, const char *build_id,
    char **path, struct pf_error *err)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct library library;

	*path = NULL;
	if (!urls || urls[strspn(urls, " ")] == '\0' || !build_id[0])
		return 0;
	if (!load_library(&library)) {
		pf_binary_note(binary,
		    "DEBUGINFOD_URLS is set, but libdebuginfod.so.1 is not installed (Debian's "
		    "package libdebuginfod1); no server was asked");
		return 0;
	}
	pf_binary_note(binary,
	    "debuginfod: asking %s for the debug information of %s (build id %s)", urls, what,
	    build_id);
	return ask(binary, &library, what, build_id, path, err);
}
