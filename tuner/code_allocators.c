/*
 * code_allocators.c: the functions of jemalloc, gperftools' tcmalloc and mimalloc where these are linked into the
 * program itself, so that no library's name tells them. Beginnings alone don't either: a service has a
 * mi_malloc_total (of miles) and a je_free_entry (of a journal).
 */
#include <string.h>

#include "tuner/code.h"

struct family {
	const char *prefix;
	const char *const *calls;  /* what programs call: whole names behind the prefix */
	const char *const *inside; /* beginnings of what these call */
};

static const char *const je_calls[] = {"malloc", "calloc", "realloc", "free", "memalign", "valloc",
    "aligned_alloc", "posix_memalign", "mallocx", "rallocx", "xallocx", "sallocx", "dallocx",
    "sdallocx", "malloc_default", "free_default", "sdallocx_default", NULL};
static const char *const je_inside[] = {"arena_", "tcache_", "cache_bin_", "extent_", "extents_",
    "emap_", "edata_", "eset_", "ecache_", "large_", "huge_", "chunk_", "pages_", "pac_", "hpa_",
    "rtree_", "tsd_", "malloc_mutex_", "background_thread_", NULL};
static const char *const tc_calls[] = {"malloc", "malloc_skip_new_handler", "calloc", "realloc",
    "free", "free_sized", "cfree", "memalign", "posix_memalign", "valloc", "pvalloc", "new",
    "newarray", "delete", "deletearray", NULL};
static const char *const tc_inside[] = {"new_nothrow", "new_aligned", "newarray_nothrow",
    "newarray_aligned", "delete_nothrow", "delete_sized", "delete_aligned", "deletearray_nothrow",
    "deletearray_sized", "deletearray_aligned", NULL};
static const char *const mi_calls[] = {"malloc", "malloc_small", "malloc_aligned",
    "malloc_aligned_at", "mallocn", "zalloc", "zalloc_small", "zalloc_aligned", "calloc",
    "calloc_aligned", "realloc", "reallocf", "reallocn", "realloc_aligned", "rezalloc", "recalloc",
    "expand", "free", "free_size", "free_size_aligned", "free_aligned", "cfree", "strdup",
    "strndup", "memalign", "posix_memalign", "aligned_alloc", "valloc", "pvalloc", "new", "new_n",
    "new_nothrow", "new_aligned", "new_aligned_nothrow", "new_realloc", "new_reallocn", "collect",
    NULL};
static const char *const mi_inside[] = {"heap_", "page_", "pages_", "segment_", "segments_",
    "slice_", "arena_", "os_", "block_", "free_block", "free_generic", "prim_", "abandoned_",
    "large_huge_page_", "huge_page_", "unix_mmap", NULL};

static const struct family families[] = {{"je_", je_calls, je_inside}, {"tc_", tc_calls, tc_inside},
    {"mi_", mi_calls, mi_inside},
    {"_mi_", (const char *const[]){NULL}, (const char *const[]){"", NULL}}};

bool
pf_code_is_allocator(const char *function)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		const struct family *f = &families[i];
		size_t size = strlen(f->prefix);

		if (strncmp(function, f->prefix, size) != 0)
			continue;
		for (const char *const *name = f->calls; *name; name++) {
			size_t end = size + strlen(*name);
			/* a compiler's part of it is "mi_free.part.0" */
			if (strncmp(function + size, *name, end - size) == 0 &&
			    (!function[end] || function[end] == '.'))
				return true;
		}
		for (const char *const *name = f->inside; *name; name++) {
			if (strncmp(function + size, *name, strlen(*name)) == 0)
				return true;
		}
	}
	return false;
}
