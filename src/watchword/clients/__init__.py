"""The client half put into HTTP libraries: `watchword.clients.<library>.adapt(auth)`. No adapter knows a scheme."""
