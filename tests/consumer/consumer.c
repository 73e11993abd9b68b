/* The smallest user of libprofuse: says how many samples a profile has. */
#include <profuse/profile.h>

#include <stdio.h>

int
main(int argc, char **argv)
{
	struct pf_error err;
	struct pf_profile *profile;

	if (argc != 2 || pf_profile_open(&profile, argv[1], NULL, &err)) {
		fprintf(stderr, "%s\n", argc == 2 ? err.message : "usage: consumer PROFILE");
		return 1;
	}
	printf("%zu samples of %s\n", pf_profile_sample_count(profile),
	    pf_profile_type_name(profile, 0));
	pf_profile_free(profile);
	return 0;
}
