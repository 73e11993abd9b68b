/*
 * failing_malloc.h: fail the N-th allocation, and count what is not freed.
 *
 * Linked with -Wl,--wrap=malloc,calloc,realloc,free, so that every allocation
 * of the static library goes through here (those inside shared libraries that
 * the library uses do not).
 */
#ifndef TESTS_FAILING_MALLOC_H
#define TESTS_FAILING_MALLOC_H

#include <stdbool.h>

/* From now on the n-th allocation fails (counting from 1); 0: none does. */
void failing_malloc_arm(unsigned long n);
/* Whether the armed failure has happened. */
bool failing_malloc_fired(void);
/* Blocks allocated and not freed since the last arming. */
long failing_malloc_live(void);

#endif
