/*
 * hook_stats.c: what the allocator of this process says about itself, in its own words.
 *
 * The allocator is the one behind malloc; its function for statistics is looked
 * for by name in the same file. Called from the agent's own thread, which holds
 * nothing that an allocation could wait for.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agent/hooks.h"
#include "collect/agent/loader.h"
#include "collect/agent/next.h"

enum { ROOM = 4 << 20, TCMALLOC_ROOM = 256 << 10 };

/* Both jemalloc and mimalloc hand over pieces of text. */
typedef void writer(void *context, const char *text);

static void
add_jemalloc(void *out, const char *text)
{
	pf_buffer_string(out, text);
}

static void
add_mimalloc(const char *text, void *out)
{
	pf_buffer_string(out, text);
}

static bool
jemalloc(void *function, struct pf_buffer *out)
{
	void (*print)(writer *, void *, const char *) =
	    (void (*)(writer *, void *, const char *))(uintptr_t)function;

	print(add_jemalloc, out, "J");
	return true;
}

static bool
mimalloc(void *function, struct pf_buffer *out)
{
	void (*print)(void (*)(const char *, void *), void *) =
	    (void (*)(void (*)(const char *, void *), void *))(uintptr_t)function;

	print(add_mimalloc, out);
	return true;
}

static bool
tcmalloc(void *function, struct pf_buffer *out)
{
	void (*get)(char *, int) = (void (*)(char *, int))(uintptr_t)function;
	uint8_t *room = pf_buffer_reserve(out, TCMALLOC_ROOM);

	if (!room)
		return false;
	get((char *)room, TCMALLOC_ROOM);
	out->size += strnlen((char *)room, TCMALLOC_ROOM);
	return true;
}

static bool
glibc(void *function, struct pf_buffer *out)
{
	int (*info)(int, FILE *) = (int (*)(int, FILE *))(uintptr_t)function;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	bool done = file && !info(0, file);

	if (file && fclose(file))
		done = false;
	if (done)
		pf_buffer_add(out, text, size);
	free(text);
	return done;
}

static const struct allocator {
	const char *function, *type;
	bool (*write)(void *function, struct pf_buffer *out);
} allocators[] = {
    {"malloc_stats_print", "application/json", jemalloc},
    {"MallocExtension_GetStats", "text/plain; charset=utf-8", tcmalloc},
    {"mi_stats_print_out", "text/plain; charset=utf-8", mimalloc},
    {"malloc_info", "application/xml", glibc},
};

/* The allocator of this process with its function, or NULL. */
static const struct allocator *
find(void **function)
{
	const struct allocator *found = NULL;

	if (!pf_loader_enter())
		return NULL;
	for (size_t i = 0; i < sizeof allocators / sizeof *allocators && !found; i++) {
		*function = dlsym(RTLD_DEFAULT, allocators[i].function);
		if (*function && pf_next_is_allocator(*function))
			found = &allocators[i];
	}
	pf_loader_leave();
	return found;
}

const char *
pf_hooks_allocator_stats(struct pf_buffer *out)
{
	void *function;
	const struct allocator *allocator = find(&function);

	if (!allocator)
		return "";
	/* First all the room it may need: pieces of text come from inside of the allocator. */
	if (!pf_buffer_reserve(out, ROOM) || !allocator->write(function, out) || out->failed)
		return NULL;
	return allocator->type;
}
