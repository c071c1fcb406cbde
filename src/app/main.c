#include "finegrain/base.h"

int main(void)
{
  return 0;
}
