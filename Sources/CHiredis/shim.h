// The formatter and the reader only: connections are ours.
#pragma once
#include <hiredis/hiredis.h>
