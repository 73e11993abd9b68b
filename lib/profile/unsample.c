/* unsample.c: see unsample.h. */
#include "profile/unsample.h"

#include <math.h>

/* The chance that an object of the mean size was counted. */
static double
chance(int64_t objects, int64_t bytes, int64_t rate)
{
	double mean = (double)bytes / (double)objects / (double)rate;

	/* As the tools that users compare with compute it, unless that leaves no digits. */
	return mean < 1e-9 ? -expm1(-mean) : 1 - exp(-mean);
}

static bool
fits(double value)
{
	return value > -9223372036854775808.0 && value < 9223372036854775808.0;
}

bool
pf_unsample(int64_t *objects, int64_t *bytes, int64_t rate)
{
	double all_objects, all_bytes, scale;

	if (*objects == 0 || *bytes == 0) {
		*objects = *bytes = 0;
		return true;
	}
	if (rate <= 1)
		return true;
	scale = 1 / chance(*objects, *bytes, rate);
	all_objects = (double)*objects * scale;
	all_bytes = (double)*bytes * scale;
	if (!fits(all_objects) || !fits(all_bytes))
		return false;
	*objects = (int64_t)all_objects;
	*bytes = (int64_t)all_bytes;
	return true;
}

double
pf_unsampled_samples(int64_t objects, int64_t bytes, int64_t rate)
{
	if (objects == 0 || bytes == 0 || rate <= 1)
		return (double)objects;
	return (double)objects * chance(objects, bytes, rate);
}
