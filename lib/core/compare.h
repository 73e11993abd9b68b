/* compare.h: for functions that compare, as qsort() wants them, one key after the other. */
#ifndef PF_CORE_COMPARE_H
#define PF_CORE_COMPARE_H

/* Returns from the comparing function where A and B differ. Each is evaluated twice. */
#define PF_COMPARE(A, B)                           \
	do {                                       \
		if ((A) != (B))                    \
			return (A) < (B) ? -1 : 1; \
	} while (0)

#endif
