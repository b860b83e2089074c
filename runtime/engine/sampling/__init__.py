"""How tokens are chosen: parameters, sampler chains, grammars, likelihoods."""
