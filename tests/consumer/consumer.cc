// Every public header from C++.
#include <profuse/error.h>
#include <profuse/profile.h>

int
main()
{
	return pf_exit_code(PF_OK);
}
