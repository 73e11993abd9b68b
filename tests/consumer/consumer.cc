// Every public header from C++, together.
#include <profuse/agent.h>
#include <profuse/bench.h>
#include <profuse/collect.h>
#include <profuse/convert.h>
#include <profuse/error.h>
#include <profuse/profile.h>
#include <profuse/stats.h>

int
main()
{
	return pf_exit_code(PF_OK);
}
