/*
 * pairs_verdict.c: verdicts on pairs measured elsewhere: lines "BEFORE AFTER" on
 * standard input; for each N given, what bench says about the first N of them.
 *
 *	pairs_verdict N… < pairs      prints N, change, low, high (ratios less 1), and yes or no
 */
#include <stdio.h>
#include <stdlib.h>

#include <profuse/stats.h>

enum { MOST = 4000 };

int
main(int argc, char **argv)
{
	static double before[MOST], after[MOST];
	size_t count = 0;

	while (count < MOST && scanf("%lf %lf", &before[count], &after[count]) == 2)
		count++;
	for (int i = 1; i < argc; i++) {
		size_t n = strtoul(argv[i], NULL, 10);
		struct pf_comparison c;
		struct pf_error err;

		if (n > count ||
		    pf_compare_pairs(before, after, n, PF_SCALE_RATIO, 0.95, &c, &err)) {
			fprintf(
			    stderr, "pairs_verdict: no verdict on %zu of %zu pairs\n", n, count);
			return 1;
		}
		printf("%zu %.6f %.6f %.6f %s\n", n, c.change, c.low, c.high,
		    c.has_interval && (c.low > 0 || c.high < 0) ? "yes" : "no");
	}
	return 0;
}
