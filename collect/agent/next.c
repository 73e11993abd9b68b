/*
 * next.c: see next.h.
 *
 * The dynamic loader of some C libraries allocates in dlsym, which is what is
 * used to find the allocator: such memory is lent from a small pool. Its pages
 * are marked in the filter of live.h, so that giving it back is noticed for free.
 */
#include "collect/agent/next.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agent/live.h"
#include "collect/agent/loader.h"

enum { POOL = 16 << 10, PAGE = 4096, HEADER = 16 };

static _Alignas(PAGE) uint8_t pool[POOL];
static _Atomic size_t pool_used;
static __thread bool finding __attribute__((tls_model("initial-exec")));

static void *
lend(size_t size)
{
	size_t room = HEADER + ((size + 15) & ~(size_t)15), at;

	if (size > POOL || (at = atomic_fetch_add(&pool_used, room)) + room > POOL)
		return NULL;
	if (at == 0)
		for (size_t page = 0; page < POOL; page += PAGE)
			pf_live_mark(pool + page);
	memcpy(pool + at, &size, sizeof size);
	return pool + at + HEADER;
}

bool
pf_next_lent(const void *p)
{
	return (uintptr_t)p - (uintptr_t)pool < POOL;
}

size_t
pf_next_lent_size(const void *p)
{
	size_t size;

	memcpy(&size, (const uint8_t *)p - HEADER, sizeof size);
	return size;
}

/* Looks all of them up; false while this very thread is doing so. */
static bool
find_all(void)
{
	static const struct {
		const char *name;
		size_t offset;
	} functions[] = {
	    {"malloc", offsetof(struct pf_next, malloc)},
	    {"free", offsetof(struct pf_next, free)},
	    {"calloc", offsetof(struct pf_next, calloc)},
	    {"realloc", offsetof(struct pf_next, realloc)},
	    {"memalign", offsetof(struct pf_next, memalign)},
	    {"aligned_alloc", offsetof(struct pf_next, aligned_alloc)},
	    {"posix_memalign", offsetof(struct pf_next, posix_memalign)},
	    {"valloc", offsetof(struct pf_next, valloc)},
	    {"pvalloc", offsetof(struct pf_next, pvalloc)},
	};

	if (finding)
		return false;
	finding = true;
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *found = dlsym(RTLD_NEXT, functions[i].name);
		if (found)
			__atomic_store_n((void **)((char *)&pf_next + functions[i].offset), found,
			    __ATOMIC_RELEASE);
	}
	finding = false;
	return true;
}

static void *
first_malloc(size_t size)
{
	return find_all() ? pf_next.malloc(size) : lend(size);
}

static void
first_free(void *p)
{
	if (p && find_all())
		pf_next.free(p);
}

static void *
first_calloc(size_t count, size_t size)
{
	if (find_all())
		return pf_next.calloc(count, size);
	return size && count > POOL / size ? NULL
					   : lend(count * size); /* never used before: zeros */
}

static void *
first_realloc(void *p, size_t size)
{
	void *moved;
	size_t old;

	if (find_all())
		return pf_next.realloc(p, size);
	moved = lend(size);
	if (moved && p && pf_next_lent(p)) {
		old = pf_next_lent_size(p);
		memcpy(moved, p, old < size ? old : size);
	}
	return moved;
}

/* The pool knows no alignment; no loader asks for one. */
static void *
first_memalign(size_t alignment, size_t size)
{
	bool found = find_all() && pf_next.memalign != first_memalign;

	return found ? pf_next.memalign(alignment, size) : NULL;
}

static void *
first_aligned_alloc(size_t alignment, size_t size)
{
	bool found = find_all() && pf_next.aligned_alloc != first_aligned_alloc;

	return found ? pf_next.aligned_alloc(alignment, size) : NULL;
}

static int
first_posix_memalign(void **p, size_t alignment, size_t size)
{
	bool found = find_all() && pf_next.posix_memalign != first_posix_memalign;

	return found ? pf_next.posix_memalign(p, alignment, size) : ENOMEM;
}

static void *
first_valloc(size_t size)
{
	return find_all() && pf_next.valloc != first_valloc ? pf_next.valloc(size) : NULL;
}

static void *
first_pvalloc(size_t size)
{
	return find_all() && pf_next.pvalloc != first_pvalloc ? pf_next.pvalloc(size) : NULL;
}

struct pf_next pf_next = {first_malloc, first_free, first_calloc, first_realloc, first_memalign,
    first_aligned_alloc, first_posix_memalign, first_valloc, first_pvalloc};

struct search {
	uintptr_t address;
	const void *found;
};

static int
is_in(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *search = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD &&
		    search->address - (info->dlpi_addr + p->p_vaddr) < p->p_memsz)
			search->found = info->dlpi_phdr;
	}
	return search->found != NULL;
}

/* What tells the file that a function is in from others. Not by dladdr, which reads all of its symbols. */
static const void *
object(const void *function)
{
	struct search search = {.address = (uintptr_t)function};

	dl_iterate_phdr(is_in, &search);
	return search.found;
}

/*
 * What calls of `name` in this process reach. Of a program that is not position-independent and takes
 * a function's address, dlsym finds the program's own jump to it: a symbol with a value and without a
 * section (Debian's Python has such a malloc). The first object that really has one is meant.
 */
static const void *
definition(const char *name)
{
	const void *found = dlsym(RTLD_DEFAULT, name);
	const ElfW(Sym) *symbol = NULL;
	struct link_map *at = NULL;
	void *handle;
	Dl_info info;

	if (!found || !dladdr1(found, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol ||
	    symbol->st_shndx != SHN_UNDEF)
		return found;
	handle = dlopen(NULL, RTLD_LAZY | RTLD_NOLOAD);
	if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &at))
		return found;
	for (found = NULL; !found && (at = at->l_next);) {
		void *library = dlopen(at->l_name, RTLD_LAZY | RTLD_NOLOAD);
		const void *candidate = library ? dlsym(library, name) : NULL;

		/* dlsym looks into what a library needs as well. */
		if (candidate && object(candidate) == object(at->l_ld))
			found = candidate;
		if (library)
			dlclose(library);
	}
	dlclose(handle);
	return found;
}

bool
pf_next_is_ours(const char *name)
{
	bool ours;

	if (!pf_loader_enter())
		return false;
	ours = object(definition(name)) == object(&pf_next);
	pf_loader_leave();
	return ours;
}

bool
pf_next_is_allocator(const void *function)
{
	const void *first = definition("malloc");

	if (object(first) == object(&pf_next))
		first = (const void *)(uintptr_t)pf_next.malloc;
	return object(function) == object(first);
}

static void *
find(const char *name, const void *caller)
{
	void *found = dlsym(RTLD_NEXT, name), *handle;
	Dl_info info;

	if (found || !dladdr(caller, &info))
		return found;
	/* Kept open on purpose: what was found there is used from now on. */
	handle = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	return handle ? dlsym(handle, name) : NULL;
}

/* One allocator's functions are in one file; libc's own call each other by their names. */
static bool
must_count(const void *function)
{
	const void *allocator = object((const void *)(uintptr_t)pf_next.malloc);

	return object(function) == allocator && allocator != object((const void *)(uintptr_t)abort);
}

static pf_function *
settle(struct pf_target *target, void *found)
{
	pf_function *function = (pf_function *)(uintptr_t)found;

	atomic_store_explicit(&target->counts, must_count(found), memory_order_relaxed);
	atomic_store_explicit(&target->found, true, memory_order_relaxed);
	atomic_store_explicit(&target->function, function, memory_order_release);
	return function;
}

pf_function *
pf_next_look_up(struct pf_target *target, const void *caller)
{
	void *function;

	find_all();
	function = find(target->name, caller);
	if (!function)
		abort(); /* the caller could not have been loaded without one */
	return settle(target, function);
}

void
pf_next_find(struct pf_target *target)
{
	void *function = target->found ? NULL : dlsym(RTLD_NEXT, target->name);

	if (function)
		settle(target, function);
	else
		dlerror(); /* nothing that the host should find */
}
