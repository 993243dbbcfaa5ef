package portal

import "time"

// Look makes the portal see now and then whether others have set timers.
func (o *Options) Look(every time.Duration) { o.look = every }
